//! `cloudspout names`: which log group and log stream each container would get, and why.

use std::fmt::Write as _;

use clap::Args;
use cloudspout_host::docker::{self, Seen};
use cloudspout_host::{Explanation, Options, Placement, Rendering, Runtime, explain};
use serde_json::{Value, json};

use super::exit::Ending;
use super::logging::LogFormat;
use super::ship::Run;
use super::shipping::{Life, variable};

/// Shows which log group and log stream each container of this host would get, and why.
///
/// It takes the options of `run`, and needs no AWS: give it the same ones. Containers come in the order of their
/// creation, which decides who shares a log stream with whom.
#[derive(Clone, Debug, Args)]
pub struct Names {
    #[command(flatten)]
    run: Run,
    /// Only the container of this name, or whose id begins so
    #[arg(long, value_name = "CONTAINER")]
    container: Vec<String>,
    /// Render a template against each container as well
    #[arg(long, value_name = "TEMPLATE")]
    template: Option<String>,
    /// Print JSON, an object a line
    #[arg(long)]
    json: bool,
}

impl Names {
    pub fn log_format(&self) -> LogFormat {
        self.run.log_format()
    }

    pub fn run(self) -> Result<(), Ending> {
        let Names { run, container, template, json } = self;
        let runs = run.settled()?;
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Ending::other)?;
        runtime.block_on(async {
            let component = Runtime::new()?;
            let several = runs.len() > 1;
            for run in runs {
                let route = several.then(|| run.route.clone());
                let seen = docker::look(run.docker()?).await?;
                let seen = chosen(seen, &container)?;
                let options = options(&run).await;
                let containers = seen.iter().map(|seen| seen.container.clone()).collect();
                let group = options.log_group_name.clone();
                let stream = options.log_stream_name.clone();
                let explained = explain(&component, options, containers, template.as_deref()).await?;
                if let Some(route) = route.filter(|_| !json) {
                    println!("route {route}");
                }
                for (seen, explained) in seen.iter().zip(&explained) {
                    match json {
                        true => println!("{}", as_json(seen, explained)),
                        false => print!("{}", as_text(seen, explained, &group, &stream)),
                    }
                }
            }
            Ok(())
        })
    }
}

/// What the component is told, as `run` would; the Region is looked for only where it costs nothing.
async fn options(run: &Run) -> Options {
    let mut options = run.shipping.options(Life::Long, run.shipping.look_around().await);
    run.naming.clone().apply(&mut options, variable);
    if options.region.is_empty() {
        // It names nothing but `{{.Region}}`, and nothing is sent there.
        options.region = "unknown-region-0".to_owned();
    }
    options
}

/// Those that were asked for, each of which has to be there.
fn chosen(seen: Vec<Seen>, wanted: &[String]) -> Result<Vec<Seen>, Ending> {
    let is = |seen: &Seen, name: &String| {
        seen.container.name == *name || (!name.is_empty() && seen.container.id.starts_with(name.as_str()))
    };
    for name in wanted {
        if !seen.iter().any(|seen| is(seen, name)) {
            return Err(Ending::settings(format!("there is no container {name}")));
        }
    }
    Ok(seen
        .into_iter()
        .filter(|seen| wanted.is_empty() || wanted.iter().any(|name| is(seen, name)))
        .collect())
}

fn as_text(seen: &Seen, explained: &Explanation, group: &str, stream: &str) -> String {
    let id = seen.container.id.get(..12).unwrap_or(&seen.container.id);
    let mut out = format!("{} ({id})\n", seen.container.name);
    // Writing to a string cannot fail.
    if let Some(why) = seen.left_out {
        let _ = writeln!(out, "  left out: {why}");
        return out;
    }
    let by = |by: &str, template: &str| match by {
        "the operator's template" if !template.is_empty() => format!("{by} {template}"),
        by => by.to_owned(),
    };
    let mut lines = |place: &Placement, what: &str| {
        let _ =
            writeln!(out, "  {what}log group   {}  by {}", place.log_group_name, by(&place.group_by, group));
        let _ = writeln!(
            out,
            "  {what}log stream  {}  by {}",
            place.log_stream_name,
            by(&place.stream_by, stream)
        );
        if let (Some(region), Some(endpoint)) = (&place.region, &place.endpoint) {
            let _ = writeln!(out, "  {what}Region      {region}, at {endpoint}  by its labels");
        }
    };
    match (&explained.stdout, &explained.stderr) {
        (Some(stdout), Some(stderr)) if same(stdout, stderr) => lines(stdout, ""),
        (stdout, stderr) => {
            if let Some(place) = stdout {
                lines(place, "stdout: ");
            }
            if let Some(place) = stderr {
                lines(place, "stderr: ");
            }
        }
    }
    let refusal = explained.refusal.iter().map(|refusal| format!("refused: {refusal}"));
    let shared = explained.shares_with.iter().map(|other| format!("{other} goes to the same log stream"));
    let rendered = explained.rendered.iter().map(|rendered| match rendered {
        Rendering::Text(text) => format!("template    {text}"),
        Rendering::Failed(reason) => format!("template fails: {reason}"),
    });
    for line in refusal.chain(shared).chain(explained.remarks.iter().cloned()).chain(rendered) {
        let _ = writeln!(out, "  {line}");
    }
    out
}

fn same(one: &Placement, other: &Placement) -> bool {
    (&one.log_group_name, &one.log_stream_name) == (&other.log_group_name, &other.log_stream_name)
}

fn as_json(seen: &Seen, explained: &Explanation) -> Value {
    let place = |place: &Placement| {
        let mut told = json!({
            "logGroupName": place.log_group_name,
            "groupBy": place.group_by,
            "logStreamName": place.log_stream_name,
            "streamBy": place.stream_by,
        });
        if let (Some(region), Some(endpoint)) = (&place.region, &place.endpoint) {
            told["region"] = json!(region);
            told["endpoint"] = json!(endpoint);
        }
        told
    };
    let (text, failed) = match &explained.rendered {
        Some(Rendering::Text(text)) => (Some(text), None),
        Some(Rendering::Failed(reason)) => (None, Some(reason)),
        None => (None, None),
    };
    json!({
        "container": seen.container.name,
        "id": seen.container.id,
        "leftOut": seen.left_out,
        "stdout": explained.stdout.as_ref().map(place),
        "stderr": explained.stderr.as_ref().map(place),
        "refused": explained.refusal,
        "sharesWith": explained.shares_with,
        "remarks": explained.remarks,
        "rendered": text,
        "templateFails": failed,
    })
}
