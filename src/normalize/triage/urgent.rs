//! The keywords that `urgent_keywords = ["builtin:id"]` stands for: where somebody may come to harm within the hour.
//!
//! Indonesian and Javanese (ngoko), with the shorthand people write. Plain danger only: a word that mostly means something else
//! (`darurat`, `macet`, `mati`) would wake officials at night for nothing. A line is a danger; `+` joins the words of one keyword.

/// By which a configuration names the list.
pub const BUILTIN: &str = "builtin:id";

const KEYWORDS: &str = "
    banjir* bnjir banjr kebanjiran kbanjiran banjir+bandang air+rob banjir+rob kena+rob tanggul+jebol tanggul+bobol tanggul+ambrol
    sungai+meluap kali+meluap kali+luber bengawan+luber omah+kelem griya+kelem omah+kebanjiran
    kebakaran* kebkaran kbakaran kebakran kebakar terbakar kobong kobongan* kobaran+api geni+gedhe
    longsor* lngsor longsore tanah+longsor lemah+longsor lemah+ambles tanah+amblas tebing+ambrol talud+ambrol
    kecelakaan* kecelakan kclkaan kcelakaan laka lakalantas tabrakan* tabrak+lari ketabrak tertabrak tubrukan ketubruk
    tenggelam hanyut keli+kali kelelep klelep klebu+sumur
    gempa lindu puting+beliung lesus angin+ribut tsunami
    pohon+tumbang wit+ambruk wit+rubuh jembatan+ambrol jembatan+ambruk jembatan+putus
    kabel+putus kesetrum tersetrum kestrum gas+bocor meledak mbledos ledakan
    keracunan* bunuh+diri anak+hilang bocah+ilang
";

/// The keywords, as `urgent_keywords` would have them.
pub fn builtin() -> impl Iterator<Item = String> {
    KEYWORDS.split_whitespace().map(|keyword| keyword.replace('+', " "))
}
