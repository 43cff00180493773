//! The words triage knows: general vocabulary of Indonesian, Javanese (ngoko and krama) and the shorthand of both.
//!
//! All lower case; letters doubled for weight are folded away on both sides, `-nya`, `-ne`, `-lah` and their like by
//! [`Class::holds`]. Erring towards more words in `ASKS`, `TOPICS` and `DOUBT` is safe: they only ever keep a message.
//! `PRAISE`, `ASSENT`, `FILLER`, `GAMBLING` and `PROMO` let one go, so they hold plain cases only.

use std::{collections::HashSet, sync::LazyLock};

/// Question, request and complaint words.
pub static ASKS: LazyLock<Class> = LazyLock::new(|| {
    Class::new(
        "kapan kpn kapankah apa apakah apkh apaan opo napa nopo ngapa ngapain siapa siapakah sopo sinten mana dimana dmn
         dmana kemana kmn kmana darimana ndi ngendi nangndi pundi kenapa knp knpa kenpa nape mengapa mengapo gimana gmn gmana
         bagaimana bagaimanakah bgmn bgmana bgaimana piye pye kepiye pripun kepriye priben berapa brp brapa brpa berapakah
         piro piran pira pinten kok ko koq kah bisakah adakah sudahkah benarkah bolehkah haruskah masihkah mungkinkah perlukah
         tanya nanya bertanya menanyakan tanyakan pertanyaan takon tanglet info informasi inpo syarat persyaratan prosedur cara
         caranya jadwal kejelasan kepastian penjelasan benarnya bener

         mohon mhn mohn dimohon memohon permohonan tolong tlg tlng tolonglah tulung tulungi minta mnta meminta njaluk nyuwun
         harap diharapkan harapan mengharapkan please pliss pls plis plz monggo bantu bantulah bantuan dibantu mbok cek dicek ngecek
         ricek help bls bales balas dibalas dibales jawab jawaban dijawab jwb dijwb djwb tanggapi ditanggapi tanggapan laporkan lapor laporan wadul
         adu aduan mengadu pengaduan usul usulan saran aspirasi butuh perlu boleh izin ijin punten permisi kulonuwun
         segera sgera sgr secepatnya cepat cepet cepetan urgent darurat kiranya harusnya seharusnya mestinya kudune agar supaya jangan
         jgn ojo dm inbox japri dikirim kirimi atasi diatasi perhatikan dicarikan carikan solusi solusinya
         jelaskan dijelaskan tambahkan ditambah pasang dipasang dipasangkan ganti diganti nyalakan dinyalakan hidupkan
         ajukan mengajukan daftar pendaftaran didandani dibangun bangun aspal diaspal dibenahi benahi dibenerin benerin

         mati mateni padam pemadaman gelap peteng petheng rusak bolong bolongan growong lubang jeglong jeglongan ambrol amblas ambles
         ambyar ambruk roboh tumbang longsor banjir rob genangan tergenang macet mampet mandek bau mambu busuk kotor kumuh
         jorok reget lambat lelet lemot lama lawas suwe suwi belum belom blum blm blom blon durung urung dereng gabisa gakbisa
         gbs error eror gagal gangguan ngadat trouble susah sulit angel kesulitan kecewa parah payah buruk jelek elek bobrok
         hancur ajur remuk bocor rembes becek licin lunyu bahaya berbahaya mbebayani putus pedot mutung kecelakaan tabrakan
         kebakaran kobong maling kemalingan dicuri pencurian begal jambret pungli korupsi nyogok suap calo telat terlambat mahal
         kurang rugi dirugikan merugikan ditipu penipuan dibiarkan dibiarke terbengkalai mangkrak keluhan resah meresahkan
         berisik bising sakit dbd diare keracunan asap debu bledug kering asat garing kosong kehabisan entek langka antri antre ngantri
         ruwet ribet mbulet dipersulit redup byarpet konslet korslet korsleting meledak njeblug kacau semrawut ilegal
         tawuran hilang ilang kelaparan nganggur dipecat phk bohong mbujuk ngapusi dijanjikan diabaikan cuek ketus
         semena sewenang kasar keberatan menolak dipungut tagih percuma ngaco ngawur pungutan
         melanggar pelanggaran rawan menumpuk numpuk tumpukan nyumbat sumbat menyumbat jebol retak miring tercemar pencemaran limbah
         polusi krisis kekeringan wabah nyamuk ngeluh protes komplain complain dipotong disegel ditolak dicabut
         nunggu menunggu nenggo ngenteni ditunggu lalai kelalaian pecah kebanjiran ngeri mangkel jengkel
         gregetan peduli kesel lumpur memprihatinkan prihatin terdampak dampak dampaknya kena terlalu judi judol togel bandar merajalela marak kecanduan korban tangkap blokir berantas tutup",
    )
});

/// Parts of words that ask wherever they stand.
pub const STEMS: &[&str] = &[
    "abaik", "ngadu", "bahaya", "bales", "belom", "belum", "bantu", "bocor", "celaka", "gangu", "keluh", "kecewa", "lanjuti", "lapor",
    "lubang", "perbaik", "mohon", "resah", "respon", "rusak", "tangani", "tertib", "tindak", "tulung",
];

/// What public offices are for and about: praise or banter that names it is in doubt.
pub static TOPICS: LazyLock<Class> = LazyLock::new(|| {
    Class::new(
        "alamat lokasi perumahan perum komplek griya blok nik hp jalan jln jl dalan gang lampu penerangan listrik air banyu toya pdam pln sampah jembatan kreteg got selokan drainase saluran
         irigasi trotoar rambu marka aspal kabel tiang gardu ktp ektp kk akta kia kis kip bansos pkh blt bpnt dtks bst bpjs sekolah
         sd smp sma smk paud siswa guru rsud rs puskesmas dokter bidan perawat obat pasien pasar pkl parkir pupuk subsidi gas elpiji
         lpg bbm token meteran meter kwh tagihan pajak pbb samsat sim skck sertifikat tanah usaha umkm lowongan loker kerja cpns
         pppk asn pns tunjangan terminal bus angkot pelabuhan sungai kali embung waduk sawah tambang galian tambak laut pantai
         internet wifi sinyal website web server sistem akun pelayanan layanan petugas pegawai operator nomor nomer telpon
         telepon wa whatsapp chat pesan email tiket kartu surat berkas rumah kampung desa dusun kelurahan kecamatan kabupaten kota barat timur selatan utara tengah rt rw warga
         wilayah daerah bantuan proyek anggaran dana pemasangan perbaikan konter diskon nyala menyala urip mili ngalir mengalir
         gaji gajih upah honor bayar dibayar panas",
    )
});

/// Who is meant when a citizen speaks to the office.
pub static OFFICE: LazyLock<Class> = LazyLock::new(|| {
    Class::new(
        "min mimin admin atmin bupati wabup wakil gubernur walikota camat lurah kades kadus sekda dinas badan kantor pemkab
         pemda pemprov pemkot pemerintah satpol polisi polsek polres damkar bpbd kominfo dukcapil dishub dinkes dindik dinsos",
    )
});

/// Negations and contrasts: with them nothing is plain.
pub static DOUBT: LazyLock<Class> = LazyLock::new(|| {
    Class::new(
        "tidak tdk gak ga gk g nggak ngga enggak engga kagak kaga ndak ndk teu henteu bukan bkn tanpa ora ra rak mboten boten nda nanging
         tapi tp tpi tetapi namun cuma cuman hanya mung masih msh esih isih tasih malah padahal pdhl meski walau walaupun kalau klo
         katanya jare jarene biar biarin moga harus tiap setiap saben lagi",
    )
});
/// *Not*; `tak` stands here only, for in Javanese it is *I*.
pub static NOT: LazyLock<Class> = LazyLock::new(|| {
    Class::new("tidak tdk tak gak ga gk g nggak ngga enggak engga kagak kaga ndak ndk teu henteu tanpa ora ra rak mboten boten nda")
});

/// Praise and good wishes.
pub static PRAISE: LazyLock<Class> = LazyLock::new(|| {
    Class::new(
        "keren bagus mantap mantab mantul mantep muantap muantep hebat apik sae sip siip jos joss gandos top jempol sukses semangat
         terbaik luar luarbiasa istimewa cantik ganteng bangga salut suka seneng senang bahagia enak eco lezat nyaman gokil
         amanah inspiratif berkah barokah barakallah barakallahu masyaallah alhamdulillah aamiin amin amien setuju selamat
         congrats good great nice best wow gercep cakep lucu gemes asik asyik maju merdeka lanjutkan mugi
         gampang baik tulus murah ramah syukur disyukuri nikmat puas lega kepenak sehat respect dukung mendukung lancar kompak meriah juara love",
    )
});

/// Words that take note: *received, all right*.
pub static NOTED: LazyLock<Class> =
    LazyLock::new(|| Class::new("ok oke okey okay okeh okee siap baik baiklah baeklah noted sip siip ndherek ngoten sendiko"));

/// Yes, and laughter is counted with it: in public it asks nothing, in a direct message it may answer a question of the office's.
pub static ASSENT: LazyLock<Class> = LazyLock::new(|| Class::new("ya y iya iyo yo yes yoi inggih nggih ho oh owh betul leres"));

/// What stands around thanks and praise without adding to it.
pub static FILLER: LazyLock<Class> = LazyLock::new(|| {
    Class::new(
        "min mimin admin kak kaka kakak ka mas mba mbak bang om pak bapak bpk bu ibu bos bro sis gan dik dek all semua semuanya para
         tim team rekan jajaran yth ya yaa y yah iya iyo yo nggih inggih nih ini itu tuh loh lho deh lah sih si emang memang
         banget bgt bingit sanget sangat sekali pol poll pisan tenan amat paling lebih selalu sll makin semakin tambah
         pokoknya pokoke untuk utk buat kagem dan n yang yg sing di ke dari dr dengan dgn karo kepada pada atas nya ne pemkab kabupaten dinas bupati semoga smoga mugi muga sehat pagi siang
         sore malam assalamualaikum waalaikumsalam wassalamualaikum wr wb warahmatullahi wabarakatuh halo hai hallo salam kita
         kami saya sy aku kulo kawulo ku sama kembali maaf allah swt tuhan biasa acaranya kegiatannya programnya fotonya
         videonya orang orangnya the so very much is are you rembang kota kabupatenku kotaku desaku",
    )
});

/// Words of newspapers, which citizens who want something do not use of themselves.
pub static NEWS: LazyLock<Class> = LazyLock::new(|| {
    Class::new(
        "warganet sejumlah diprediksi dikabarkan dilansir mengungkapkan menuturkan ujarnya tuturnya pungkasnya tersangka terdakwa
         penyidik",
    )
});

/// Words of online gambling: two of them, or one beside a sign of promotion, are an advertisement.
pub static GAMBLING: LazyLock<Class> = LazyLock::new(|| {
    Class::new(
        "gacor tergacor maxwin jackpot jp jepe jeipe scatter rtp depo deposit withdraw wd wede diwede ngedepo
         zeus mahjong taruhan pragmatic pgsoft betting rollingan sbobet gacir
         parlay freespin kemenangan keberuntungan",
    )
});

/// Promotion, as beside a brand's name.
pub static PROMO: LazyLock<Class> = LazyLock::new(|| {
    Class::new(
        "btc eth bitcoin kripto crypto coin slot cuan hoki daftar buktiin buktikan login gabung main bermain maen mainkan permainan pemain promo klaim hadiah link situs bio cobain coba
         menang kemenangan pola spin member bonus profit untung terpercaya terbukti rejeki rezeki game ketagihan nagih viral trending langganan receh buruan gaskeun spesial
         undang terlengkap event jutawan sensasi rekomendasi follow followers pinjaman pinjol",
    )
});

/// A set of words that reads over doubled letters and enclitics.
pub struct Class(HashSet<String>);

impl Class {
    fn new(list: &str) -> Self {
        Self(list.split_whitespace().map(squeeze).collect())
    }
    /// Whether the word, already [`squeeze`]d, stands in the list as it is or without an enclitic.
    pub fn holds(&self, word: &str) -> bool {
        self.has(word)
            || ["nya", "ya", "ny", "ne", "e", "lah", "kah", "ku", "mu", "i", "in"]
                .iter()
                .any(|end| word.strip_suffix(end).is_some_and(|stem| stem.len() > 2 && self.has(stem)))
    }
    /// Whether the word, already [`squeeze`]d, stands in the list as it is.
    pub fn has(&self, word: &str) -> bool {
        self.0.contains(word)
    }
}

/// Folds letters written twice or more into one (`kereeen`, `tlooong`), and drops the `2` of reduplication (`kira2`).
pub fn squeeze(word: &str) -> String {
    let word = super::singled(word);
    let mut out = String::with_capacity(word.len());
    for c in word.chars() {
        if !(c.is_alphabetic() && out.ends_with(c)) {
            out.push(c);
        }
    }
    out
}
