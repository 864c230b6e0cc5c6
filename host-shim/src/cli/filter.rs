//! Options of the filter that events go through.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use cloudspout_host::FilterFailure;
use cloudspout_host::filtering::{Filter, FilterBounds, Filters};

use super::exit::Ending;
use super::size;

/// What events go through on their way, and what it may take.
#[derive(Clone, Debug, Args)]
pub struct FilterArgs {
    /// WebAssembly component that events go through before they are sent: it redacts, samples, enriches, and chooses
    /// where each goes (docs/FILTERS.md)
    #[arg(long, value_name = "FILE")]
    filter: Option<PathBuf>,
    /// What becomes of events on which the filter fails: nothing goes on, and they wait where they are; or they go on
    /// as they are, counted and said
    #[arg(long, value_enum, default_value_t = FailureArg::Stop, value_name = "WHAT")]
    filter_failure: FailureArg,
    /// Memory of the filter
    #[arg(long, default_value = "64MiB", value_parser = size::bytes, value_name = "SIZE")]
    filter_max_memory: u64,
    /// How long the filter may compute on what was read at a time, 256 KiB of a log; longer is a failure
    #[arg(long, default_value = "2s", value_parser = size::duration, value_name = "TIME")]
    filter_max_time: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailureArg {
    Stop,
    Pass,
}

impl FilterArgs {
    /// What the component is told of it.
    pub fn failure(&self) -> Option<FilterFailure> {
        self.filter.as_ref().map(|_| match self.filter_failure {
            FailureArg::Stop => FilterFailure::Stop,
            FailureArg::Pass => FilterFailure::Pass,
        })
    }

    /// Compiles it, if there is one, by those who have compiled others before; there may be none yet.
    ///
    /// # Errors
    /// It cannot be used.
    pub async fn load(&self, filters: &mut Option<Filters>) -> Result<Option<Filter>, Ending> {
        let Some(path) = &self.filter else { return Ok(None) };
        let filters = match filters {
            Some(filters) => filters,
            None => filters.insert(Filters::new().map_err(Ending::other)?),
        };
        let bounds = FilterBounds {
            memory: usize::try_from(self.filter_max_memory).unwrap_or(usize::MAX),
            time: self.filter_max_time,
        };
        filters.load(path, bounds).await.map(Some).map_err(Ending::settings)
    }
}
