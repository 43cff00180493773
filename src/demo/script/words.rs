//! What citizens and officials of the script write: sentences of our own, as they are written on a kabupaten's accounts.

/// Plain Indonesian first names.
pub(super) const NAMES: &[&str] = &[
    "Siti", "Budi", "Dewi", "Agus", "Sri", "Joko", "Rina", "Eko", "Wati", "Hadi", "Yuni", "Bambang", "Lestari", "Slamet", "Ani", "Dwi",
    "Ratna", "Yanto", "Nur", "Fitri", "Wahyu", "Endang", "Rudi", "Sari", "Tono", "Ika", "Parno", "Umi", "Ahmad", "Rini", "Kusno", "Murni",
];

/// Questions and complaints for every agency.
const COMMON: &[&str] = &[
    "Lampu jalan di depan balai desa mati sudah seminggu, kapan diperbaiki?",
    "Jalan menuju pasar berlubang parah, tolong segera ditambal pak",
    "Min, kantor buka jam berapa kalau hari Jumat?",
    "Kok telepon kantornya tidak pernah diangkat ya?",
    "Sampah di pinggir sungai menumpuk, sudah lapor dua kali belum ada tindakan",
    "Kalau mau pengaduan lewat mana ya, min?",
    "Bagaimana cara mengurus surat rekomendasi, syaratnya apa saja?",
    "Selokan depan rumah mampet, kalau hujan air masuk ke teras",
    "Sudah seminggu kirim pesan belum dibalas, mohon kejelasannya",
    "Apakah bantuan yang kemarin diumumkan masih dibuka?",
];
const FARMING: &[&str] = &[
    "Pupuk subsidi di kios kosong sejak awal bulan, petani harus beli ke mana?",
    "Kapan jadwal pembagian bibit padi untuk kelompok tani kami?",
    "Sawah kami diserang wereng, bisa minta penyuluh datang ke lapangan?",
    "Kartu tani saya tidak bisa dipakai, harus lapor ke mana ya?",
    "Harga gabah turun terus, apa ada pembelian dari dinas?",
    "Sapi saya tidak mau makan tiga hari, ada dokter hewan yang bisa dihubungi?",
];
const FISHING: &[&str] = &[
    "Solar untuk perahu nelayan susah didapat, bagaimana ini pak?",
    "Kapan pengerukan muara dimulai, kapal kami sering kandas",
    "Harga ikan di TPI jatuh, apakah ada es subsidi untuk nelayan kecil?",
    "Syarat membuat kartu nelayan apa saja min?",
    "Gudang pendingin di pelabuhan rusak, ikan kami busuk semua",
];
const SOCIAL: &[&str] = &[
    "Ibu saya belum pernah dapat bantuan PKH padahal tidak mampu, mohon dicek",
    "Kartu bantuan pangan saya kok kosong bulan ini?",
    "Cara daftar masuk data penerima bantuan bagaimana ya?",
    "Ada lansia hidup sendiri di desa kami, bisa dibantu?",
    "Jadwal pelayanan KB gratis bulan ini kapan min?",
];
const POPULATION: &[&str] = &[
    "Kapan KTP saya jadi? Sudah dua bulan sejak rekam data",
    "Min, blanko KTP sudah ada belum?",
    "Mau urus akta kelahiran anak, bisa lewat online?",
    "KK hilang, syarat cetak ulang apa saja?",
    "Antrean di kantor sampai siang belum dipanggil, kenapa loketnya cuma satu?",
    "Pindah domisili dari luar kota perlu surat apa?",
    "Nama saya salah di KTP, cara memperbaikinya bagaimana?",
];
const SCHOOL: &[&str] = &[
    "Kapan pendaftaran sekolah dibuka, zonasinya bagaimana?",
    "Atap kelas anak saya bocor kalau hujan, kapan diperbaiki?",
    "Dana BOS sudah cair belum ya? Guru honorer belum digaji",
    "Apakah benar ada iuran wajib di SMP negeri?",
    "Cara mengurus legalisir ijazah yang sekolahnya sudah tutup bagaimana?",
    "Lapangan olahraga rusak, tolong diperhatikan pak",
];
const TOURISM: &[&str] = &[
    "Tiket masuk pantai sekarang berapa min?",
    "Toilet di tempat wisata kotor sekali, tolong dibersihkan",
    "Museum hari Minggu buka tidak?",
    "Parkir di pantai ditarik dua kali, apa memang begitu aturannya?",
    "Kapan jadwal kirab budaya tahun ini?",
];
/// Javanese, for every agency.
const JAVANESE: &[&str] = &[
    "Pak, dalane ning desaku rusak kabeh, kapan didandani?",
    "Nyuwun sewu min, kantore bukak jam pinten nggih?",
    "Lampune mati wis suwe, kok ora ana sing ndandani",
    "Banyune ora mili wis telung dina, piye iki?",
    "Matur nuwun infone, nanging syarate napa mawon nggih?",
];
/// What cannot wait.
const URGENT: &[&str] = &[
    "Tolong pak banjir di desa kami sudah selutut, butuh perahu",
    "Ada kebakaran di dekat pasar, pemadam belum datang!",
    "Tanah longsor menutup jalan, kendaraan tidak bisa lewat",
    "Kecelakaan di tikungan, korban butuh ambulans segera",
];
/// What asks nothing.
const IDLE: &[&str] = &[
    "Terima kasih infonya min",
    "Mantap, semoga sukses selalu",
    "Alhamdulillah, matur nuwun",
    "👍👍👍",
    "🙏",
    "❤️😍",
    "Daftar slot gacor klik link di bio, bonus 100 persen",
];
/// A citizen who still waits.
pub(super) const FOLLOW_UPS: &[&str] =
    &["Bagaimana pak, kok belum ada jawaban?", "Halo min, mohon dibalas", "Masih menunggu kabarnya ya", "Up"];
/// Proper answers; the name follows.
pub(super) const ANSWERS: &[&str] = &[
    "Mohon maaf atas ketidaknyamanannya. Sudah kami teruskan ke petugas lapangan dan akan dicek hari ini,",
    "Terima kasih atas laporannya. Silakan datang ke kantor dengan membawa KTP dan KK pada jam kerja,",
    "Untuk hal ini silakan menghubungi loket pelayanan kami pukul 08.00 sampai 14.00,",
    "Jadwalnya minggu depan, pengumuman resmi menyusul di halaman ini,",
    "Sedang kami koordinasikan dengan bidang terkait, kami kabari secepatnya,",
];
/// The answer of a machine.
pub(super) const AUTOMATIC: &str = "Terima kasih telah menghubungi kami. Pesan Anda akan segera kami balas.";
/// What the agencies post.
pub(super) const POSTS: &[&str] = &[
    "Pelayanan hari ini buka seperti biasa pukul 07.00 sampai 15.30. Silakan datang lebih awal.",
    "Dokumentasi kegiatan sosialisasi di balai desa pagi tadi.",
    "Pengumuman: pelayanan keliling minggu ini, jadwal ada di gambar.",
    "Mari jaga kebersihan lingkungan kita bersama.",
];

/// What a citizen of that agency writes: the sort of text, and whether anybody would answer it.
pub(super) enum Sort {
    /// Asks for something.
    Ask,
    /// Cannot wait.
    Urgent,
    /// Thanks, emoji, spam.
    Idle,
}

/// The texts of a sort for an agency, to pick one of.
pub(super) fn texts(slug: &str, sort: &Sort, pick: usize) -> &'static str {
    let own = match slug {
        "dintanpan" => FARMING,
        "dinlutkan" => FISHING,
        "dinsosppkb" => SOCIAL,
        "dindukcapil" => POPULATION,
        "dindikpora" => SCHOOL,
        "dinbudpar" => TOURISM,
        _ => COMMON,
    };
    let list = match sort {
        Sort::Urgent => URGENT,
        Sort::Idle => IDLE,
        Sort::Ask => [own, own, own, COMMON, JAVANESE][pick % 5],
    };
    list[pick / 5 % list.len()]
}
