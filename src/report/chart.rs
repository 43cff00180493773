//! Charts as SVG: shapes and classes only, no style and no script, so that a page's stylesheet (dark, light, paper) colours them and a
//! strict content security policy lets them be. Each says its numbers in words, for those who hear it. Pure. Text is escaped in
//! [`escape`] and nowhere else.

use std::fmt::Write as _;

/// Width of every drawing, in its own units: about that of a telephone, so that letters stay readable there.
const WIDTH: u32 = 400;
/// Steps of shading, the lightest first: 0 is nothing.
const SHADES: u64 = 5;

/// A row of [`bars`].
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// Whose it is.
    pub label: String,
    /// Its numbers in words.
    pub text: String,
    /// Share and the ends of its interval, 0 to 1; `None`: unknown.
    pub share: Option<(f64, f64, f64)>,
    /// Not to be compared with the others.
    pub apart: bool,
}

/// A column of [`trend`].
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// What stands below it.
    pub label: String,
    /// Its numbers in words.
    pub text: String,
    /// Its height.
    pub count: u64,
    /// Of which so many are marked.
    pub marked: u64,
}

/// A field of [`heat`].
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// How dark it is, beside the others.
    pub count: u64,
    /// Its numbers in words.
    pub text: String,
}

/// A text inside markup.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// A drawing with its name and its numbers. `id` is the page's own word, told apart from those of its other drawings.
fn svg(id: &str, class: &str, height: u32, title: &str, numbers: &str, body: &str) -> String {
    format!(
        "<svg class=\"chart {class}\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\">\
         <title id=\"{id}-title\">{}</title><desc id=\"{id}-desc\">{}</desc>{body}</svg>",
        escape(title),
        escape(numbers)
    )
}

fn units(share: f64, of: u32) -> f64 {
    (share.clamp(0.0, 1.0) * f64::from(of) * 10.0).round() / 10.0
}

/// Shares as bars, each below its label, with its interval as a whisker.
pub fn bars(id: &str, title: &str, rows: &[Bar]) -> String {
    const ROW: u32 = 38;
    let mut body = String::new();
    for (nth, row) in rows.iter().enumerate() {
        let top = nth as u32 * ROW;
        let (text, bar, middle) = (top + 14, top + 20, top + 26);
        let _ = write!(body, "<g><title>{}: {}</title>", escape(&row.label), escape(&row.text));
        let _ = write!(body, "<text class=\"label\" x=\"0\" y=\"{text}\">{}</text>", escape(&cut(&row.label, 26)));
        let _ = write!(body, "<text class=\"value\" x=\"{WIDTH}\" y=\"{text}\" text-anchor=\"end\">{}</text>", escape(&cut(&row.text, 26)));
        let _ = write!(body, "<rect class=\"ground\" x=\"0\" y=\"{bar}\" width=\"{WIDTH}\" height=\"12\"/>");
        if let Some((share, low, high)) = row.share {
            let (low, high, class) = (units(low, WIDTH), units(high, WIDTH), if row.apart { "bar apart" } else { "bar" });
            let _ = write!(body, "<rect class=\"{class}\" x=\"0\" y=\"{bar}\" width=\"{}\" height=\"12\"/>", units(share, WIDTH));
            let _ = write!(body, "<path class=\"whisker\" d=\"M{low} {middle}H{high}M{low} {}v8M{high} {}v8\"/>", middle - 4, middle - 4);
        }
        body.push_str("</g>");
    }
    let numbers = rows.iter().map(|row| format!("{}: {}", row.label, row.text)).collect::<Vec<_>>().join("; ");
    svg(id, "bars", (rows.len() as u32 * ROW).max(1), title, &numbers, &body)
}

/// Seven rows of twenty-four fields. `days` names the rows.
pub fn heat(id: &str, title: &str, days: &[String], fields: &[Vec<Field>]) -> String {
    const SIDE: u32 = 14;
    const LEFT: u32 = 62;
    let most = fields.iter().flatten().map(|field| field.count).max().unwrap_or(0);
    let mut body = String::new();
    for hour in (0..24).step_by(3) {
        let _ = write!(body, "<text class=\"axis\" x=\"{}\" y=\"11\">{hour:02}</text>", LEFT + hour * SIDE);
    }
    for (nth, (day, row)) in days.iter().zip(fields).enumerate() {
        let top = 16 + nth as u32 * (SIDE + 4);
        let _ = write!(body, "<text class=\"axis\" x=\"0\" y=\"{}\">{}</text>", top + 12, escape(&cut(day, 9)));
        for (hour, field) in row.iter().enumerate() {
            let (x, shade) = (LEFT + hour as u32 * SIDE, shade(field.count, most));
            let _ = write!(body, "<rect class=\"shade{shade}\" x=\"{x}\" y=\"{top}\" width=\"13\" height=\"17\"><title>");
            let _ = write!(body, "{}</title></rect>", escape(&field.text));
        }
    }
    let told = fields.iter().flatten().filter(|field| field.count > 0).map(|field| field.text.as_str());
    svg(id, "heat", 16 + 7 * (SIDE + 4), title, &told.collect::<Vec<_>>().join("; "), &body)
}

/// How dark a count is beside the greatest: 0 for nothing, else 1 to 5.
pub fn shade(count: u64, most: u64) -> u64 {
    if most == 0 { 0 } else { (count * SHADES).div_ceil(most) }
}

/// Counts as columns side by side, the marked part of each at its foot.
pub fn trend(id: &str, title: &str, columns: &[Column]) -> String {
    const HEIGHT: u32 = 120;
    let most = columns.iter().map(|it| it.count).max().unwrap_or(0).max(1) as f64;
    let step = f64::from(WIDTH) / columns.len().max(1) as f64;
    let wide = (step * 0.8).min(40.0);
    let each = (columns.len() / 6).max(1); // labels that would run into one another are left out
    let mut body = String::new();
    for (nth, it) in columns.iter().enumerate() {
        let (x, tall, marked) = (nth as f64 * step, units(it.count as f64 / most, HEIGHT), units(it.marked as f64 / most, HEIGHT));
        let ground = f64::from(HEIGHT);
        let _ = write!(body, "<g><title>{}: {}</title>", escape(&it.label), escape(&it.text));
        let _ = write!(body, "<rect class=\"column\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{wide:.1}\" height=\"{tall}\"/>", ground - tall);
        let _ = write!(body, "<rect class=\"marked\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{wide:.1}\" height=\"{marked}\"/>", ground - marked);
        if nth % each == 0 {
            let _ = write!(body, "<text class=\"axis\" x=\"{x:.1}\" y=\"{}\">{}</text>", HEIGHT + 14, escape(&cut(&it.label, 10)));
        }
        body.push_str("</g>");
    }
    let _ = write!(body, "<path class=\"ground\" d=\"M0 {HEIGHT}H{WIDTH}\"/>");
    let numbers = columns.iter().map(|it| format!("{}: {}", it.label, it.text)).collect::<Vec<_>>().join("; ");
    svg(id, "trend", HEIGHT + 20, title, &numbers, &body)
}

/// The first letters of a text that would run out of its place.
fn cut(text: &str, letters: usize) -> String {
    if text.chars().count() <= letters {
        return text.to_owned();
    }
    text.chars().take(letters - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "<script>\"'&\u{1b}[31m";

    fn bar(label: &str, share: Option<(f64, f64, f64)>) -> Bar {
        Bar { label: label.into(), text: "8 / 10".into(), share, apart: false }
    }

    #[test]
    fn a_bar_is_as_long_as_its_share_and_its_whisker_as_its_interval() {
        let drawn = bars("a", "Judul", &[bar("Dinhub", Some((0.8, 0.5, 0.95))), bar("Dindik", None)]);
        assert!(drawn.contains("<rect class=\"bar\" x=\"0\" y=\"20\" width=\"320\" height=\"12\"/>"), "{drawn}");
        assert!(drawn.contains("d=\"M200 26H380M200 22v8M380 22v8\""), "{drawn}");
        assert_eq!(drawn.matches("class=\"bar\"").count(), 1, "what is unknown has none");
        assert!(drawn.contains("viewBox=\"0 0 400 76\"") && drawn.contains("<desc id=\"a-desc\">Dinhub: 8 / 10; Dindik: 8 / 10</desc>"));
    }

    #[test]
    fn the_most_is_darkest_nothing_is_light_and_one_is_never_nothing() {
        assert_eq!([0, 1, 20, 21, 99, 100].map(|count| shade(count, 100)), [0, 1, 1, 2, 5, 5]);
        assert_eq!((shade(0, 0), shade(1, 1), shade(1, 1_000_000)), (0, 5, 1));
        let mut fields = vec![vec![Field { count: 0, text: "0".into() }; 24]; 7];
        fields[0][9] = Field { count: 4, text: "Senin 09: 4".into() };
        let days: Vec<String> = ["Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu"].map(str::to_owned).to_vec();
        let drawn = heat("h", "Jam", &days, &fields);
        assert_eq!((drawn.matches("shade0").count(), drawn.matches("shade5").count()), (167, 1));
        assert!(drawn.contains("<rect class=\"shade5\" x=\"188\" y=\"16\""), "{drawn}");
        assert!(drawn.contains("<desc id=\"h-desc\">Senin 09: 4</desc>"));
    }

    #[test]
    fn columns_stand_on_the_ground_with_their_marked_part() {
        let column = |count, marked| Column { label: "1 Jun".into(), text: format!("{count}"), count, marked };
        let drawn = trend("t", "Pekan", &[column(10, 5), column(0, 0)]);
        assert!(drawn.contains("<rect class=\"column\" x=\"0.0\" y=\"0.0\" width=\"40.0\" height=\"120\"/>"), "{drawn}");
        assert!(drawn.contains("<rect class=\"marked\" x=\"0.0\" y=\"60.0\" width=\"40.0\" height=\"60\"/>"), "{drawn}");
        assert!(!trend("t", "", &[]).contains("NaN"));
    }

    #[test]
    fn hostile_text_is_inert_and_no_drawing_holds_style_or_script() {
        let column = Column { label: HOSTILE.into(), text: HOSTILE.into(), count: 1, marked: 1 };
        let field = Field { count: 1, text: HOSTILE.into() };
        for drawn in [
            bars("a", HOSTILE, &[bar(HOSTILE, Some((0.1, 0.0, 0.4)))]),
            heat("b", HOSTILE, &[HOSTILE.into()], &[vec![field]]),
            trend("c", HOSTILE, &[column]),
        ] {
            assert!(!drawn.contains("<script") && !drawn.contains("style=") && !drawn.contains('\u{1b}'), "{drawn}");
            assert!(drawn.contains("&lt;script&gt;&quot;&#39;&amp;"), "{drawn}");
        }
    }
}
