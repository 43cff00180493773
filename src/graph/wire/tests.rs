//! Lists and elements as Meta really sends them, and worse.

use super::{
    List, Node, Undecoded,
    facebook::{Comment, Message, Post},
};

fn list<T: serde::de::DeserializeOwned>(json: &str) -> List<T> {
    serde_json::from_str(json).unwrap()
}

#[test]
fn an_element_that_cannot_be_read_costs_only_itself() {
    let comments: List<Comment> = list(
        r#"{"data":[{"id":1,"message":"satu"},null,{"id":"3","message":{"no":"text"}},["4"],{"id":"5","from":"nobody"},
            {"id":"6","message":"enam","from":null,"message_tags":"?","attachment":7,"is_hidden":"yes","permalink_url":[]}]}"#,
    );
    assert_eq!(comments.data.iter().map(|c| c.id.as_deref().unwrap()).collect::<Vec<_>>(), ["1", "6"]);
    let odd = |index, id: Option<&str>| Undecoded { index, id: id.map(str::to_owned) };
    assert_eq!(comments.odd, [odd(1, None), odd(2, Some("3")), odd(3, None), odd(4, Some("5"))]);
    assert_eq!(comments.sent(), 6);
    assert!(!comments.is_complete());
}

#[test]
fn an_id_keeps_every_digit_however_it_is_written() {
    let node = |json: &str| serde_json::from_str::<Node>(json).unwrap().id;
    assert_eq!(node(r#"{"id":17841400000000000123456}"#).as_deref(), Some("17841400000000000123456"));
    assert_eq!(node(r#"{"id":"0017"}"#).as_deref(), Some("0017"));
    assert_eq!(node(r#"{"id":""}"#), None);
    assert_eq!(node(r#"{"id":null}"#), None);
    assert!(serde_json::from_str::<Node>(r#"{"id":{}}"#).is_err());
}

#[test]
fn only_the_cursor_of_a_next_link_goes_further() {
    let cases = [
        (
            r#"{"data":[],"paging":{"cursors":{"before":"B","after":"A=="},"next":"https://x/?access_token=SECRET&after=Z"}}"#,
            Some("A=="),
            true,
        ),
        (r#"{"data":[],"paging":{"next":"https://x/v25.0/1/feed?access_token=SECRET&limit=25&after=Q%3D%3D"}}"#, Some("Q=="), true),
        (r#"{"data":[],"paging":{"next":"https://x/?access_token=SECRET&until=1"}}"#, None, true),
        (r#"{"data":[],"paging":{"cursors":{"after":"A"}}}"#, Some("A"), false),
        (r#"{"data":[],"paging":[]}"#, None, false),
        (r#"{"data":[]}"#, None, false),
    ];
    for (json, after, has_next) in cases {
        let page: List<Node> = list(json);
        assert_eq!((page.after.as_deref(), page.has_next), (after, has_next), "{json}");
        assert_eq!(page.next(), after.filter(|_| has_next), "{json}");
        assert!(!format!("{page:?}").contains("SECRET"), "{json}");
    }
}

#[test]
fn a_nested_list_of_another_shape_is_odd_and_keeps_its_post() {
    let posts: List<Post> = list(r#"{"data":[{"id":"1_2","comments":"none"},{"id":"1_3","comments":null},{"id":"1_4"}]}"#);
    assert_eq!(posts.data.len(), 3);
    assert_eq!(posts.data[0].comments.as_ref().unwrap().odd.len(), 1);
    assert!(posts.data[1].comments.is_none() && posts.data[2].comments.is_none());
}

#[test]
fn counts_flags_and_bare_arrays_are_taken_as_they_come() {
    let page: List<Node> = list(r#"{"data":[],"summary":{"total_count":"1876","order":"ranked"}}"#);
    assert_eq!(page.total, Some(1876));
    let bare: List<Message> = list(r#"[{"id":"m_1","is_unsupported":"true"},{"id":"m_2","is_unsupported":false}]"#);
    assert_eq!(bare.data.iter().map(|m| m.is_unsupported).collect::<Vec<_>>(), [Some(true), Some(false)]);
}
