//! Standard input: lines of several lengths and texts.

use super::Bench;
use crate::child::Usage;
use crate::endpoint::Endpoint;
use crate::inputs::{Framing, Log, Text};
use crate::page::Table;
use crate::statistics::Series;

/// About 100 MB each, or a million lines: lines, and bytes of each.
pub const LENGTHS: [(&str, u64, usize); 4] =
    [("20 B", 1_000_000, 20), ("100 B", 1_000_000, 100), ("1 KB", 200_000, 1_024), ("16 KB", 8_000, 16_000)];

pub fn measure(bench: &Bench) -> Result<String, String> {
    let logs = LENGTHS.map(|(name, lines, width)| (name.to_owned(), Text::Plain, bench.of(lines), width));
    table(bench, &logs, "line")
}

/// What the text is of makes a difference to escaping.
pub fn measure_text(bench: &Bench) -> Result<String, String> {
    let logs = [Text::Plain, Text::Json, Text::Utf8]
        .map(|text| (format!("{}, 1 KB", text.name()), text, bench.of(200_000), 1_024));
    table(bench, &logs, "text")
}

fn table(bench: &Bench, logs: &[(String, Text, u64, usize)], what: &str) -> Result<String, String> {
    let endpoint = Endpoint::start(&bench.program, &bench.scratch)?;
    let mut table = Table::new(&[
        what,
        "lines",
        "lines: CPU s",
        "ns an event",
        "MB/s",
        "json-file entries: CPU s",
        "ns an event",
        "peak MiB",
    ]);
    for (name, text, lines, width) in logs {
        let plain = Log::new(Framing::Lines, *text, *lines, *width);
        let entries = Log::new(Framing::JsonFile, *text, *lines, *width);
        let (mut a, mut b, mut peak) = (Series::default(), Series::default(), Series::default());
        let files = (plain.file(&bench.scratch)?, entries.file(&bench.scratch)?);
        for _ in 0..bench.rounds() {
            let Usage { cpu, peak_mib } = bench.pipe(&files.0, &["lines"], *lines, &endpoint)?;
            a.push(cpu.0);
            peak.push(peak_mib);
            let Usage { cpu, peak_mib } = bench.pipe(&files.1, &["json-file"], *lines, &endpoint)?;
            b.push(cpu.0);
            peak.push(peak_mib);
        }
        table.row(&[
            name.clone(),
            lines.to_string(),
            a.text(2),
            each(&a, *lines),
            format!("{:.0}", (*lines * *width as u64) as f64 / 1e6 / a.median()),
            b.text(2),
            each(&b, *lines),
            format!("{:.0}", peak.highest()),
        ]);
    }
    Ok(table.into_text())
}

/// Nanoseconds of CPU an event.
pub fn each(series: &Series, lines: u64) -> String {
    format!("{:.0}", series.median() * 1e9 / lines as f64)
}
