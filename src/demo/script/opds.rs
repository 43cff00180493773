//! The agencies of the script: those of Kabupaten Rembang, the six that the 2021 article names first.

/// An agency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opd {
    /// Short name for configuration.
    pub slug: String,
    /// Short name for people.
    pub abbreviation: String,
    /// Full name.
    pub name: String,
}

const OPDS: &[(&str, &str, &str)] = &[
    ("dintanpan", "Dintanpan", "Dinas Pertanian dan Pangan"),
    ("dinlutkan", "Dinlutkan", "Dinas Kelautan dan Perikanan"),
    ("dinsosppkb", "DinsosPPKB", "Dinas Sosial, Pemberdayaan Perempuan dan Keluarga Berencana"),
    ("dindukcapil", "Dindukcapil", "Dinas Kependudukan dan Pencatatan Sipil"),
    ("dindikpora", "Dindikpora", "Dinas Pendidikan, Pemuda dan Olahraga"),
    ("dinbudpar", "Dinbudpar", "Dinas Kebudayaan dan Pariwisata"),
    ("dinhub", "Dinhub", "Dinas Perhubungan"),
    ("dputaru", "DPUTARU", "Dinas Pekerjaan Umum dan Penataan Ruang"),
    ("dinkes", "Dinkes", "Dinas Kesehatan"),
    ("bpbd", "BPBD", "Badan Penanggulangan Bencana Daerah"),
    ("dlh", "DLH", "Dinas Lingkungan Hidup"),
    ("dpkp", "DPKP", "Dinas Perumahan dan Kawasan Permukiman"),
    ("dinkominfo", "Dinkominfo", "Dinas Komunikasi dan Informatika"),
    ("dinpermades", "Dinpermades", "Dinas Pemberdayaan Masyarakat dan Desa"),
    ("dindagkopukm", "Dindagkop UKM", "Dinas Perdagangan, Koperasi dan Usaha Kecil dan Menengah"),
    ("dinperinnaker", "Dinperinnaker", "Dinas Perindustrian dan Tenaga Kerja"),
    ("dpmptsp", "DPMPTSP", "Dinas Penanaman Modal dan Pelayanan Terpadu Satu Pintu"),
    ("dinarpus", "Dinarpus", "Dinas Kearsipan dan Perpustakaan"),
    ("satpolpp", "Satpol PP", "Satuan Polisi Pamong Praja"),
    ("bppkad", "BPPKAD", "Badan Pendapatan, Pengelolaan Keuangan dan Aset Daerah"),
    ("bkd", "BKD", "Badan Kepegawaian Daerah"),
    ("rsud-soetrasno", "RSUD", "RSUD dr. R. Soetrasno Rembang"),
];

/// That many agencies; past the known ones, villages.
pub fn opds(count: usize) -> Vec<Opd> {
    let known = OPDS.iter().map(|(slug, abbreviation, name)| Opd {
        slug: (*slug).into(),
        abbreviation: (*abbreviation).into(),
        name: (*name).into(),
    });
    let villages = (1..).map(|number| Opd {
        slug: format!("desa-{number}"),
        abbreviation: format!("Desa {number}"),
        name: format!("Pemerintah Desa {number}"),
    });
    known.chain(villages).take(count).collect()
}
