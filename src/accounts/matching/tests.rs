//! Names as agencies really write them, and names that only look alike.

use super::*;
use crate::accounts::shipped;

const SITE: &str = "Kabupaten Rembang";

fn unit(slug: &str, name: &str, parent: &str) -> Unit {
    let parent = Some(parent.to_owned()).filter(|it| !it.is_empty());
    Unit { slug: slug.into(), name: name.into(), abbreviation: name.into(), kind: None, parent, configured: true }
}

/// The shipped list, configured, with two desa of one name.
fn units() -> Vec<Unit> {
    let mut units: Vec<Unit> = shipped::shipped(SITE, &[]).into_iter().map(|unit| Unit { configured: true, ..unit }).collect();
    units.push(unit("desa-pandangan", "Desa Pandangan Wetan", "kec-kragan"));
    units.push(unit("desa-sumber-sulang", "Desa Sumberagung", "kec-sulang"));
    units.push(unit("desa-sumber-lasem", "Desa Sumberagung", "kec-lasem"));
    units.push(unit("kel-leteh", "Kelurahan Leteh", "kec-rembang"));
    units
}

fn sure(names: &[&str]) -> Option<String> {
    let units = units();
    certain(&candidates(&units, SITE, names)).map(|it| units[it.unit].slug.clone())
}

#[test]
fn names_of_real_accounts_find_their_agency() {
    let mut wrong = Vec::new();
    for (name, slug) in [
        ("Dinbudpar Kabupaten Rembang", "dinbudpar"),
        ("Dinas Kebudayaan dan Pariwisata Kab. Rembang", "dinbudpar"),
        ("DISBUDPAR REMBANG", "dinbudpar"),
        ("Dindikpora Rembang", "dindikpora"),
        ("Dindukcapil Kab. Rembang", "dindukcapil"),
        ("Disdukcapil Rembang", "dindukcapil"),
        ("Dinas Kependudukan & Pencatatan Sipil Kabupaten Rembang", "dindukcapil"),
        ("Dinsosppkb", "dinsosppkb"),
        ("Dinsos PPKB Pemkab Rembang", "dinsosppkb"),
        ("Dintanpan_rembang", "dintanpan"),
        ("Dinlutkan Pemkab Rembang", "dinlutkan"),
        ("Dinkes Rembang", "dinkes"),
        ("dinkes_rembang", "dinkes"),
        ("dinkesrembang", "dinkes"),
        ("dinkeskabrembang", "dinkes"),
        ("dinkes.rembang.official", "dinkes"),
        ("DinkesRembang", "dinkes"),
        ("Dinas Kesehatan", "dinkes"),
        ("Dinas Kesehattan Kabupaten Rembang", "dinkes"),
        ("DPUTARU Kab Rembang", "dputaru"),
        ("DPU Taru Rembang", "dputaru"),
        ("DPUPR Rembang", "dputaru"),
        ("BPBD Rembang", "bpbd"),
        ("Badan Penanggulangan Bencana Daerah Kab. Rembang", "bpbd"),
        ("Satpol PP Rembang", "satpolpp"),
        ("SatpolPP_rembang", "satpolpp"),
        ("satpolpprembang", "satpolpp"),
        ("RSUD dr. R. Soetrasno Rembang", "rsud-soetrasno"),
        ("RSUD dr R Sutrasno", "rsud-soetrasno"),
        ("rsud_rembang", "rsud-soetrasno"),
        ("Setda Kab. Rembang", "setda"),
        ("Sekretariat DPRD Kabupaten Rembang", "setwan"),
        ("Inspektorat Kabupaten Rembang", "inspektorat"),
        ("Diskominfo Rembang", "dinkominfo"),
        ("Dishub Rembang", "dinhub"),
        ("Dinpermades Rembang", "dinpermades"),
        ("Dinas Pemberdayaan Masyarakat dan Desa Rembang", "dinpermades"),
        ("Kec. Sulang", "kec-sulang"),
        ("Kecamatan Sulang", "kec-sulang"),
        ("Kecamatan Sulang Kabupaten Rembang", "kec-sulang"),
        ("KECAMATAN REMBANG", "kec-rembang"),
        ("Kec. Rembang Kab. Rembang", "kec-rembang"),
        ("kecamatansulang", "kec-sulang"),
        ("kecamatan_rembang", "kec-rembang"),
        ("kecsulang", "kec-sulang"),
        ("Desa Pandangan Wetan Kec. Kragan", "desa-pandangan"),
        ("Pemdes Desa Pandangan Wetan", "desa-pandangan"),
        ("Desa Sumberagung Kec. Lasem", "desa-sumber-lasem"),
        ("Kelurahan Leteh Kecamatan Rembang", "kel-leteh"),
    ] {
        if sure(&[name]).as_deref() != Some(slug) {
            wrong.push(format!("{name}: {:?}", candidates(&units(), SITE, &[name])));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_only_looks_alike_is_never_certain() {
    let mut wrong = Vec::new();
    for name in [
        "Dinas Kesehatan Kabupaten Pati",
        "Dinkes Kab. Blora",
        "Dinkes Pati",
        "Dinkes Provinsi Jawa Tengah",
        "Dinas Pendidikan",
        "Dinas Pertanian",
        "Puskesmas Lasem",
        "PKK Kecamatan Sulang",
        "Polsek Sulang",
        "Sulang",
        "UPTD Dinkes Kecamatan Lasem",
        "Kecamatan Lasem Kabupaten Sleman",
        "Desa Pandangan Wetan Kec. Lasem",
        "Desa Sumberagung",
        "Desa Sulang Kec. Sulang",
        "Kelurahan Sulang",
        "RSUD RAA Soewondo Pati",
        "BPKAD",
        "Pemkab Rembang",
        "Bupati Rembang",
        "Warung Mbok Siti",
        "Sekretariat",
        "Dinas",
        "dan",
        "",
    ] {
        wrong.extend(sure(&[name]).map(|slug| format!("{name}: {slug}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_doubtful_name_has_its_candidates_in_order() {
    let units = units();
    let slugs = |name: &str| candidates(&units, SITE, &[name]).iter().map(|it| units[it.unit].slug.clone()).collect::<Vec<_>>().join(" ");
    assert_eq!(slugs("Desa Sumberagung"), "desa-sumber-sulang desa-sumber-lasem");
    assert_eq!(slugs("Dinas Pertanian"), "dintanpan");
    assert_eq!(slugs("BPKAD Rembang"), "bppkad");
    assert_eq!(slugs("Kecamatan Sluku"), "kec-sluke");
    assert_eq!(slugs("PPID Dinkes Rembang"), "dinkes");
    assert_eq!(slugs("Dinas Kesehatan Kabupaten Pati"), "");
}

#[test]
fn a_name_and_a_user_name_that_disagree_are_a_question() {
    assert_eq!(sure(&["Informasi Publik", "dinkes_rembang"]).as_deref(), Some("dinkes"));
    assert_eq!(sure(&["Dinas Perhubungan", "dinkes_rembang"]), None);
}

#[test]
fn an_agency_of_the_shipped_list_counts_only_where_no_configured_one_fits() {
    let own = Unit { abbreviation: "Disbudpar".into(), ..unit("disbudpar", "Dinas Kebudayaan dan Pariwisata", "") };
    let mut units = vec![own];
    let shipped = shipped::shipped(SITE, &units);
    units.extend(shipped);
    let slug = |name: &str| certain(&candidates(&units, SITE, &[name])).map(|it| units[it.unit].slug.as_str());
    assert_eq!(slug("Dinbudpar Rembang"), Some("disbudpar"));
    assert_eq!(slug("Dinkes Rembang"), Some("dinkes"));
}
