//! What is written to citizens. It travels in the body; nothing else of what stands here may be posted: `POST /{comment}` with a `message`
//! would put the government's words into the citizen's comment (Comment reference, "Updating").

use serde_json::json;

use super::Request;
use crate::domain::reply::Window;

/// Who gets a direct message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipient<'a> {
    /// A person, in the conversation: page-scoped or Instagram-scoped id, and what lets it through.
    Person(&'a str, Window),
    /// The writer of a comment, once.
    Comment(&'a str),
    /// The writer of a post on the Page's wall, once.
    Post(&'a str),
}

/// A comment of the Page below a post, or below a top-level comment.
pub fn comment(above: &str, text: &str) -> Request {
    Request::new("comment", [above, "comments"]).writing("message", text)
}

/// An Instagram account's answer to a top-level comment.
pub fn reply(comment: &str, text: &str) -> Request {
    Request::new("reply", [comment, "replies"]).writing("message", text)
}

/// A direct message of Messenger or Instagram; `sender` is the Page (with Facebook Login, for its Instagram account too) or the Instagram
/// account (with Instagram Login).
pub fn message(sender: &str, to: Recipient<'_>, text: &str) -> Request {
    let recipient = match to {
        Recipient::Person(id, _) => json!({ "id": id }),
        Recipient::Comment(id) => json!({ "comment_id": id }),
        Recipient::Post(id) => json!({ "post_id": id }),
    };
    let request =
        Request::new("messages", [sender, "messages"]).writing("recipient", recipient).writing("message", json!({ "text": text }));
    match to {
        Recipient::Person(_, Window::HumanAgent) => request.writing("messaging_type", "MESSAGE_TAG").writing("tag", "HUMAN_AGENT"),
        Recipient::Person(_, Window::Open) => request.writing("messaging_type", "RESPONSE"),
        Recipient::Comment(_) | Recipient::Post(_) => request,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_travels_in_the_body_and_never_to_a_bare_comment() {
        let text = "Sudah, Bu & terima kasih.";
        let requests = [
            comment("101_9_77", text),
            reply("17001", text),
            message("101", Recipient::Person("9001", Window::Open), text),
            message("101", Recipient::Person("9001", Window::HumanAgent), text),
            message("101", Recipient::Comment("101_9_77"), text),
            message("101", Recipient::Post("101_9"), text),
        ];
        for request in &requests {
            assert!(request.params.is_empty() && request.path.len() == 2, "{request:?}");
            assert!(request.form.iter().any(|(_, value)| value.contains(text)));
            assert!(!format!("{request:?}").contains("Sudah"), "the log shows no text");
        }
        assert_eq!(requests[0].path, ["101_9_77", "comments"]);
        let form = |at: usize| requests[at].form.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
        assert_eq!(form(2)[0], r#"recipient={"id":"9001"}"#);
        assert_eq!(form(2)[2..], ["messaging_type=RESPONSE"]);
        assert_eq!(form(3)[2..], ["messaging_type=MESSAGE_TAG", "tag=HUMAN_AGENT"]);
        assert_eq!(form(4)[0], r#"recipient={"comment_id":"101_9_77"}"#);
        assert_eq!(form(4).len(), 2);
        assert_eq!(form(5)[0], r#"recipient={"post_id":"101_9"}"#);
    }
}
