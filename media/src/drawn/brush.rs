//! Shapes and colours as SVG text.

/// A filled outline; `d` is SVG path data.
pub(super) fn path(fill: &str, d: &str) -> String {
    format!("<path fill=\"{fill}\" d=\"{d}\"/>")
}

/// A line with round ends.
pub(super) fn line(stroke: &str, width: f32, d: &str) -> String {
    format!(
        "<path fill=\"none\" stroke=\"{stroke}\" stroke-width=\"{width:.1}\" stroke-linecap=\"round\" stroke-linejoin=\"round\" d=\"{d}\"/>"
    )
}

pub(super) fn ellipse(fill: &str, cx: f32, cy: f32, rx: f32, ry: f32) -> String {
    format!("<ellipse fill=\"{fill}\" cx=\"{cx:.1}\" cy=\"{cy:.1}\" rx=\"{rx:.1}\" ry=\"{ry:.1}\"/>")
}

pub(super) fn circle(fill: &str, cx: f32, cy: f32, r: f32) -> String {
    ellipse(fill, cx, cy, r, r)
}

/// A box with its corners rounded by `r`.
pub(super) fn rect(fill: &str, x: f32, y: f32, w: f32, h: f32, r: f32) -> String {
    format!("<rect fill=\"{fill}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" rx=\"{r:.1}\"/>")
}

/// The same, see-through by `opacity`.
pub(super) fn faint(opacity: f32, inner: &str) -> String {
    format!("<g opacity=\"{opacity:.2}\">{inner}</g>")
}

/// The same, moved and enlarged about its own origin; a negative `wide` mirrors it.
pub(super) fn placed(x: f32, y: f32, wide: f32, high: f32, inner: &str) -> String {
    format!("<g transform=\"translate({x:.1} {y:.1}) scale({wide:.3} {high:.3})\">{inner}</g>")
}

/// `#rrggbb` made lighter (up to 1, white) or darker (down to −1, black).
pub(super) fn tone(colour: &str, amount: f32) -> String {
    let value = |at: usize| colour.get(at..at + 2).and_then(|hex| u8::from_str_radix(hex, 16).ok()).unwrap_or(0);
    let end = if amount < 0.0 { 0.0 } else { 255.0 };
    let mixed = |at: usize| {
        let from = f32::from(value(at));
        (from + (end - from) * amount.abs()).round() as u8
    };
    format!("#{:02x}{:02x}{:02x}", mixed(1), mixed(3), mixed(5))
}

/// A gradient named `id`, from `top` to `bottom`.
pub(super) fn fade(id: &str, top: &str, bottom: &str) -> String {
    format!(
        "<linearGradient id=\"{id}\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"1\"><stop offset=\"0\" stop-color=\"{top}\"/>\
         <stop offset=\"1\" stop-color=\"{bottom}\"/></linearGradient>"
    )
}

/// A whole document.
pub(super) fn document(width: u32, height: u32, inner: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">{inner}</svg>"
    )
}
