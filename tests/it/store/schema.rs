//! The two schemas are one: tables, columns, types, defaults, keys and indexes, and the files that make them.

use std::collections::BTreeSet;

use super::world::World;

const SQLITE_COLUMNS: &str =
    "SELECT m.name || '.' || c.name || ' ' || CASE c.type WHEN 'INTEGER' THEN 'integer' WHEN 'TEXT' THEN 'text' ELSE c.type END
    || CASE WHEN c.\"notnull\" = 1 OR c.pk > 0 THEN ' not null' ELSE '' END || COALESCE(' default ' || c.dflt_value, '') AS t
    FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE '\\_sqlx%' ESCAPE '\\'";
const POSTGRES_COLUMNS: &str =
    "SELECT table_name || '.' || column_name || ' ' || CASE data_type WHEN 'bigint' THEN 'integer' ELSE data_type END
    || CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END || COALESCE(' default ' || replace(column_default, '::text', ''), '') AS t
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_sqlx%'";

/// Made indexes by name; keys and uniqueness by what they hold, since their names are the database's own.
const SQLITE_INDEXES: &str = "SELECT m.name || ' ' || CASE i.origin WHEN 'c' THEN i.name ELSE 'unique' END || '(' || (SELECT group_concat(name, ',')
      FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno)) || ')' || CASE i.partial WHEN 1 THEN ' where' ELSE '' END AS t
    FROM sqlite_master m JOIN pragma_index_list(m.name) i WHERE m.type = 'table' AND i.origin <> 'pk' AND m.name NOT LIKE '\\_sqlx%' ESCAPE '\\'
    UNION ALL SELECT m.name || ' primary(' || (SELECT group_concat(name, ',') FROM (SELECT name FROM pragma_table_info(m.name) WHERE pk > 0 ORDER BY pk)) || ')'
    FROM sqlite_master m WHERE m.type = 'table' AND m.name NOT LIKE '\\_sqlx%' ESCAPE '\\'";
const POSTGRES_INDEXES: &str = "SELECT t.relname || ' ' || CASE WHEN i.indisprimary THEN 'primary' WHEN i.indisunique THEN 'unique' ELSE c.relname END || '('
    || (SELECT string_agg(a.attname, ',' ORDER BY k.place) FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(number, place)
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number) || ')' || CASE WHEN i.indpred IS NULL THEN '' ELSE ' where' END AS t
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
    WHERE t.relnamespace = 'public'::regnamespace AND t.relname NOT LIKE '\\_sqlx%'";

#[tokio::test]
async fn both_databases_have_the_same_tables_columns_keys_and_indexes() {
    let (sqlite, postgres) = (World::sqlite().await, World::postgres().await);
    for (one, other, least) in [(SQLITE_COLUMNS, POSTGRES_COLUMNS, 100), (SQLITE_INDEXES, POSTGRES_INDEXES, 20)] {
        let (one, other) = (sqlite.texts(one).await, postgres.texts(other).await);
        let (one, other): (BTreeSet<String>, BTreeSet<String>) = (one.into_iter().collect(), other.into_iter().collect());
        let differ: Vec<_> = one.symmetric_difference(&other).collect();
        assert!(differ.is_empty(), "only in one of the two: {differ:#?}");
        assert!(one.len() > least, "{one:#?}");
    }
    let kinds: BTreeSet<_> = sqlite.texts(SQLITE_COLUMNS).await.iter().map(|line| line.split(' ').nth(1).unwrap().to_owned()).collect();
    assert_eq!(kinds, BTreeSet::from(["integer".to_owned(), "text".to_owned()]), "rows are read as these two types");
}

#[tokio::test]
async fn every_migration_stands_in_both_folders_under_one_name_and_is_run() {
    let files = |kind: &str| {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(kind);
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect::<BTreeSet<_>>()
    };
    assert_eq!(files("sqlite"), files("postgres"));
    let ran =
        "SELECT substr('000' || CAST(version AS TEXT), -4) || '_' || replace(description, ' ', '_') || '.sql' AS t FROM _sqlx_migrations";
    assert_eq!(World::sqlite().await.texts(ran).await.into_iter().collect::<BTreeSet<_>>(), files("sqlite"));
}
