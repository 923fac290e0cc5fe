//! Medians and spreads of a few runs, and goals they are held to.

use serde::Serialize;

/// The middle and the ends of some figures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) min: f64,
    pub(super) max: f64,
}

impl Spread {
    /// `None` when there are no figures.
    pub(super) fn of(figures: &[f64]) -> Option<Self> {
        let mut sorted = figures.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        };
        Some(Self { median, min, max })
    }
}

/// The ratio of each pair; figures without a partner are left out.
pub(super) fn ratios(above: &[f64], below: &[f64]) -> Vec<f64> {
    above.iter().zip(below).map(|(a, b)| a / b).collect()
}

/// What a median is held to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Goal {
    AtLeast(f64),
    AtMost(f64),
    /// At most, once rounded to two decimals as the goal is written.
    Rounded(f64),
}

impl Goal {
    /// Whether the median reaches it.
    pub(super) fn is_met(self, measured: Spread) -> bool {
        match self {
            Self::AtLeast(least) => measured.median >= least,
            Self::AtMost(most) => measured.median <= most,
            Self::Rounded(most) => (measured.median * 100.0).round() <= (most * 100.0).round(),
        }
    }

    /// How far the median stays behind, in percent of the goal; `None` when it is met.
    pub(super) fn shortfall(self, measured: Spread) -> Option<f64> {
        if self.is_met(measured) {
            return None;
        }
        let (Self::AtLeast(wanted) | Self::AtMost(wanted) | Self::Rounded(wanted)) = self;
        Some((measured.median - wanted).abs() / wanted * 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_the_median_between_its_ends() {
        let odd = Spread::of(&[3.0, 1.0, 2.0]).unwrap();
        assert_eq!((odd.min, odd.median, odd.max), (1.0, 2.0, 3.0));
        let even = Spread::of(&[4.0, 1.0, 2.0, 3.0]).unwrap();
        assert_eq!((even.min, even.median, even.max), (1.0, 2.5, 4.0));
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn ratios_are_taken_pair_by_pair() {
        assert_eq!(ratios(&[10.0, 9.0, 8.0], &[5.0, 3.0]), [2.0, 3.0]);
    }

    #[test]
    fn a_goal_is_met_by_the_median_and_a_shortfall_is_told_in_percent() {
        let measured = Spread::of(&[1.0, 20.0, 30.0]).unwrap();
        assert!(Goal::AtLeast(20.0).is_met(measured));
        assert_eq!(Goal::AtLeast(25.0).shortfall(measured), Some(20.0));
        assert_eq!(Goal::AtMost(20.0).shortfall(measured), None);
        assert_eq!(Goal::AtMost(16.0).shortfall(measured), Some(25.0));
    }

    #[test]
    fn a_goal_of_two_decimals_is_held_to_two_decimals() {
        let measured = Spread::of(&[0.0104]).unwrap();
        assert!(Goal::Rounded(0.01).is_met(measured));
        assert!(!Goal::AtMost(0.01).is_met(measured));
        let above = Spread::of(&[0.016]).unwrap();
        assert!(!Goal::Rounded(0.01).is_met(above));
    }
}
