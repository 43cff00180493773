//! What an error means for a reply: whether it waits, is refused, or may have been sent all the same. Pure.

use jiff::SignedDuration;

use super::DAY;
use crate::{
    domain::Time,
    graph::{GraphError, Next},
    poll::{pass::PassError, quota::BLOCK},
    store::replies::{Claimed, End},
};

/// How soon what never reached Meta is tried again, and what could not be read is read again.
pub(super) const AGAIN: SignedDuration = SignedDuration::from_secs(10);
/// What can't be read for long is read seldom.
const SELDOM: SignedDuration = SignedDuration::from_mins(15);
/// Meta blocks whoever writes too much or too alike, and longer for every further try (error 368).
const BLOCKED: i32 = 368;

/// Whether another token may help: it was not sent, for want of a good one.
pub(super) fn after_token(why: &PassError) -> bool {
    why.next() == Next::Token && !matches!(why, PassError::Graph(error) if !error.is_refusal())
}

/// What becomes of a reply whose attempt ended so; `begun`: it may have been handed to Meta.
pub(super) fn ended(why: &PassError, begun: bool, now: Time) -> End {
    let refused = match why {
        PassError::Graph(error) => !begun || error.is_refusal(),
        _ => true,
    };
    let code = if let PassError::Graph(GraphError { code, .. }) = why { *code } else { None };
    match why.next() {
        _ if !refused => End::Uncertain(now, None, why.to_string()),
        Next::Later { after, .. } if code != Some(BLOCKED) => End::Waits(now.plus(after.unwrap_or(BLOCK).max(AGAIN)), why.to_string()),
        Next::Retry => End::Waits(now.plus(AGAIN), why.to_string()),
        _ => End::Failed(why.to_string()),
    }
}

/// What becomes of a reply that could not be looked for: seldom in the end, and not for ever.
pub(super) fn unread(reply: &Claimed, tried_at: Time, why: String, now: Time) -> End {
    let past = now.since(tried_at);
    if past >= DAY {
        let why = format!("nobody could tell within a day whether it was sent ({why}): look where it would stand before you send it again");
        return End::Failed(why);
    }
    End::Uncertain(now.plus((past / 4).clamp(AGAIN, SELDOM)), reply.missed_at, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Scope;

    fn graph(next: Next, code: Option<i32>, unasked: bool) -> PassError {
        let mut error = GraphError::new(next, "so");
        (error.code, error.unasked) = (code, unasked);
        PassError::Graph(error)
    }

    #[test]
    fn only_what_meta_surely_did_not_take_is_tried_again_or_called_failed() {
        let now = Time::from_secs(1_795_500_000);
        let later = |after| Next::Later { after, scope: Scope::Account };
        let waits = |seconds| End::Waits(now.plus(SignedDuration::from_secs(seconds)), "x".into());
        let (uncertain, failed) = (End::Uncertain(now, None, "x".into()), End::Failed("x".into()));
        for (next, code, unasked, want) in [
            (Next::Retry, None, false, &uncertain),
            (Next::Retry, Some(2), false, &uncertain),
            (Next::Odd, None, false, &uncertain),
            (Next::Shrink, None, false, &uncertain),
            (Next::Retry, None, true, &waits(10)),
            (later(Some(SignedDuration::from_mins(5))), None, true, &waits(300)),
            (later(Some(SignedDuration::from_mins(5))), Some(80_006), false, &waits(300)),
            (later(None), None, false, &waits(3600)),
            (later(Some(SignedDuration::ZERO)), Some(4), false, &waits(10)),
            (later(None), Some(368), false, &failed),
            (Next::Refused, Some(10), false, &failed),
            (Next::Permission, Some(200), false, &failed),
            (Next::Gone, Some(100), false, &failed),
            (Next::Odd, Some(777), false, &failed),
            (Next::Token, Some(190), false, &failed),
        ] {
            let got = match ended(&graph(next, code, unasked), true, now) {
                End::Waits(at, _) => End::Waits(at, "x".into()),
                End::Uncertain(at, missed, _) => End::Uncertain(at, missed, "x".into()),
                End::Failed(_) => End::Failed("x".into()),
                sent @ End::Sent(..) => sent,
            };
            assert_eq!(got, *want, "{next:?} {code:?} {unasked}");
        }
        assert!(matches!(ended(&graph(Next::Retry, Some(2), false), false, now), End::Waits(..)), "before it was handed over");
        assert!(matches!(ended(&PassError::NoToken, false, now), End::Failed(_)));
    }
}
