//! Everything a database holds, as text.

use tanggap::store::Db;

/// Every value of every column of every table that is ours, `table.column: value`.
pub async fn dump(db: &Db) -> Vec<String> {
    let sqlite = "SELECT m.name AS t, c.name AS c FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'";
    let postgres = "SELECT table_name AS t, column_name AS c FROM information_schema.columns WHERE table_schema = 'public'";
    let columns = if db.is_embedded() { sqlite } else { postgres };
    let mut found = Vec::new();
    for row in db.rows(columns, vec![]).await.unwrap() {
        let (table, column) = (row.t("t").unwrap(), row.t("c").unwrap());
        if table.starts_with("_sqlx") {
            continue;
        }
        let sql = format!("SELECT COALESCE(CAST({column} AS TEXT), '') AS v FROM {table}");
        for row in db.rows(Box::leak(sql.into_boxed_str()), vec![]).await.unwrap() {
            found.push(format!("{table}.{column}: {}", row.t("v").unwrap()));
        }
    }
    found
}

/// Whether a line shows a hash or a salt.
pub fn is_hash(line: &str) -> bool {
    ["proof.digest:", "proof.link:", "proof.salt:", "chain.link:"].iter().any(|column| line.starts_with(column))
}

/// Where one of these words stands, whatever its case; by chance any digits stand in a hash.
pub async fn holding(db: &Db, words: &[&str]) -> Vec<String> {
    let holds = |line: &String| !is_hash(line) && words.iter().any(|word| line.to_lowercase().contains(&word.to_lowercase()));
    dump(db).await.into_iter().filter(holds).collect()
}
