//! What the error codes of the Cloud API ask for (Cloud API, Error Codes; Graph API, Handling Errors). The same in answers and in statuses.

use jiff::SignedDuration;

use super::super::SendError;

/// After the pair limit the Cloud API asks for 4^n seconds, n being how often it was met in a row: 4^3 is past what a burst must pay back.
const PAIR_LIMIT: SignedDuration = SignedDuration::from_secs(64);
/// After a limit on everything the number sends.
const THROUGHPUT: SignedDuration = SignedDuration::from_mins(1);
/// After a limit that lasts for hours, or a state that only people can change.
const LONG: SignedDuration = SignedDuration::from_mins(30);

/// What to do.
#[derive(Clone, Copy)]
enum Cure {
    /// It passes by itself, after that wait if one is known.
    Wait(Option<SignedDuration>),
    /// The site mends something: until then every letter fails, then all go out. A day is given for it.
    Mend(&'static str),
    /// No other attempt would do better.
    Never,
}
use Cure::{Mend, Never, Wait};

/// The verdict on a code; an unknown one may pass.
pub(super) fn verdict(code: i64, subcode: Option<i64>) -> SendError {
    let (what, cure) = meaning(code, subcode);
    match cure {
        Wait(after) => SendError::Later { after, why: format!("{what} (code {code})"), unknown_outcome: false },
        Mend(cure) => SendError::later(format!("{what} (code {code}): {cure}")),
        Never => SendError::never(format!("{what} (code {code})")),
    }
}

fn meaning(code: i64, subcode: Option<i64>) -> (&'static str, Cure) {
    const TOKEN: Cure = Mend("put a valid system-user token into channel.whatsapp.token");
    const RIGHTS: Cure = Mend("give the system user of channel.whatsapp.token the right whatsapp_business_messaging and the account");
    const NUMBER: Cure = Mend("register the number of channel.whatsapp.phone_number_id in WhatsApp Manager");
    const ACCOUNT: Cure = Mend("see the account of channel.whatsapp in Meta Business Support");
    const TEMPLATE: Cure = Mend("have the template of channel.whatsapp.template approved in the site's language, or name another one");
    const TEXTS: Cure = Mend("the body of channel.whatsapp.template takes exactly four numbered texts, and nothing else takes any");
    const BUG: &str = "WhatsApp finds the request wrong, which is a fault of tanggap: please report it";
    match (code, subcode) {
        (130_429, _) => ("too many messages from the number at once", Wait(Some(THROUGHPUT))),
        (131_056, _) => ("too many messages to this official in a short time", Wait(Some(PAIR_LIMIT))),
        (4 | 80_007, _) => ("too many calls by the app or the account", Wait(Some(LONG))),
        (131_048, _) => {
            ("WhatsApp limits the number because messages were blocked or marked as spam", Mend("see its quality in WhatsApp Manager"))
        }
        (131_049, _) => ("WhatsApp held it back as advertising", Mend("file channel.whatsapp.template under the category utility")),
        (1 | 2 | 131_000 | 131_016 | 131_057 | 133_004, _) => ("WhatsApp is out of order for the moment", Wait(None)),

        (131_026, _) => {
            ("the official's number can't be reached: no WhatsApp, an old one, new terms not accepted, or we are blocked", Never)
        }
        (131_050, _) => ("the official wants no more of these messages", Never),
        (130_472, _) => ("WhatsApp keeps messages from this number, for a study of its own", Never),
        (131_021, _) => ("the official's number is the one that sends: correct the official's whatsapp", Never),
        (131_047, _) => ("WhatsApp takes it for a free text outside the 24 hours, which is a fault of tanggap: please report it", Never),
        (100, Some(33)) => {
            ("WhatsApp does not know the sending number", Mend("check channel.whatsapp.phone_number_id and its token's rights"))
        }
        (100 | 131_008 | 131_009 | 131_051 | 131_055 | 132_005 | 132_007 | 135_000, _) => (BUG, Never),

        (0 | 190, _) => ("the token is not valid", TOKEN),
        (3 | 10 | 200..=299 | 131_005, _) => ("the token lacks a right", RIGHTS),
        (131_030, _) => {
            ("a test number sends only to the telephones on its list", Mend("add the official's number there, or use a real one"))
        }
        (132_000 | 132_012 | 132_018, _) => ("the template asks for other texts than the four", TEXTS),
        (132_001, _) => ("there is no such approved template in this language", TEMPLATE),
        (132_015, _) => ("the template is paused for its quality", TEMPLATE),
        (132_016, _) => ("the template is disabled for its quality", TEMPLATE),
        (33 | 131_037 | 131_045 | 133_000 | 133_005..=133_006 | 133_008..=133_010 | 133_015..=133_016, _) => {
            ("the sending number is not registered", NUMBER)
        }
        (131_042, _) => ("the account has a problem with its payment", Mend("see the account of channel.whatsapp in Meta's billing")),
        (368 | 131_031, _) => ("the account is locked or broke a policy", ACCOUNT),
        _ => ("WhatsApp refuses it for a reason that tanggap does not know", Wait(None)),
    }
}
