//! Several measurements of the same thing.

/// Figures of one case.
#[derive(Clone, Debug, Default)]
pub struct Series(Vec<f64>);

impl Series {
    pub fn push(&mut self, figure: f64) {
        self.0.push(figure);
        self.0.sort_by(f64::total_cmp);
    }

    pub fn median(&self) -> f64 {
        let middle = self.0.len() / 2;
        match (self.0.get(middle.wrapping_sub(1)), self.0.get(middle)) {
            (Some(below), Some(above)) if self.0.len().is_multiple_of(2) => (below + above) / 2.0,
            (_, Some(middle)) => *middle,
            (_, None) => f64::NAN,
        }
    }

    pub fn least(&self) -> f64 {
        self.0.first().copied().unwrap_or(f64::NAN)
    }

    pub fn highest(&self) -> f64 {
        self.0.last().copied().unwrap_or(f64::NAN)
    }

    /// The median, with the least and the most.
    pub fn text(&self, digits: usize) -> String {
        match (self.0.first(), self.0.last()) {
            (Some(least), Some(most)) if self.0.len() > 1 => {
                format!("{:.digits$} ({least:.digits$}-{most:.digits$})", self.median())
            }
            (Some(only), _) => format!("{only:.digits$}"),
            _ => "-".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_stands_in_the_middle() {
        let mut series = Series::default();
        for figure in [3.0, 1.0, 2.0] {
            series.push(figure);
        }
        assert_eq!(series.text(1), "2.0 (1.0-3.0)");
        series.push(9.0);
        assert_eq!(series.median(), 2.5);
    }
}
