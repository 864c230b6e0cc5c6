//! Tenants beside components that want all for themselves: `hostile/` loops, allocates, traps, shouts, hoards,
//! asks whom it should not, and looks around. What that does to a tenant beside it is measured.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use cloudspout_host::docker::{Assign, Candidate};
use cloudspout_host::metrics::{Board, Format};
use cloudspout_host::positions::Store;
use cloudspout_host::streams::{Container, Framing, Keep, Opening, Positions};
use cloudspout_host::tenants::{Common, Limits, Overlap, Patterns, Pauses, Selection, Tenant, Tenants};
use cloudspout_host::{
    Bounds, CredentialsFailure, Form, HttpClient, Identity, Options, Provider, Runtime, async_trait,
};
use cloudspout_local::{Config, Control, Endpoint};

/// The component that misbehaves.
fn hostile() -> &'static [u8] {
    static HOSTILE: OnceLock<Vec<u8>> = OnceLock::new();
    HOSTILE.get_or_init(|| {
        let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
        let target =
            target.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target")).join("hostile");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--release", "--package", "cloudspout-hostile"]);
        cargo.args(["--target", "wasm32-wasip2", "--target-dir"]).arg(&target);
        cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
        assert!(cargo.status().expect("cargo").success(), "the hostile component cannot be built");
        std::fs::read(target.join("wasm32-wasip2/release/cloudspout_hostile.wasm")).expect("a component")
    })
}

/// What is said, kept to be looked at.
#[derive(Clone, Default)]
struct Ears(Arc<Mutex<Vec<u8>>>);

impl Ears {
    /// Those of this test program, which all tests share.
    fn here() -> &'static Ears {
        static EARS: OnceLock<Ears> = OnceLock::new();
        EARS.get_or_init(|| {
            let ears = Ears::default();
            let writer = ears.clone();
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).init();
            ears
        })
    }

    fn heard(&self, tenant: &str) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned();
        let whose = format!("tenant=\"{tenant}\"");
        text.lines().filter(|line| line.contains(&whose)).map(str::to_owned).collect()
    }
}

impl Write for Ears {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct Keys;

#[async_trait]
impl Provider for Keys {
    async fn find(&self, _renew: bool) -> Result<Identity, CredentialsFailure> {
        Ok(Identity {
            access_key_id: cloudspout_local::LOCAL_KEY_ID.to_owned(),
            secret_access_key: cloudspout_local::LOCAL_SECRET.to_owned(),
            session_token: None,
            expires: None,
        })
    }
}

/// An endpoint in a thread of its own, and tenants that ship to it.
struct Stage {
    board: Board,
    url: String,
    control: Control,
    runtime: Runtime,
    tenants: Tenants,
}

const PROCESSORS: usize = 2;
const MEMORY: usize = 64 << 20;

impl Stage {
    fn new() -> Stage {
        Ears::here();
        let (told, hears) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let endpoint = Endpoint::bind(Config::default()).await.unwrap();
                told.send((format!("http://{}", endpoint.address()), endpoint.control())).unwrap();
                endpoint.serve(std::future::pending()).await.unwrap();
            });
        });
        let (url, control) = hears.recv().unwrap();
        let board = Board::default();
        let common = Common {
            transport: Arc::new(HttpClient::new(Store::in_memory()).unwrap()),
            form: Form::Words,
            report_every: None,
            stop_timeout: Duration::from_secs(2),
            restarts: true,
            pauses: Pauses::default(),
            board: board.clone(),
        };
        let runtime = Runtime::shared(32, PROCESSORS).unwrap();
        Stage { board, url, control, runtime, tenants: Tenants::new(common, Overlap::Refuse) }
    }

    fn tenant(&self, name: &str) -> Tenant {
        let names = [name.to_owned()];
        Tenant {
            name: name.to_owned(),
            runtime: self.runtime.clone(),
            selection: Selection::parse(&Patterns { names: &names, ..Patterns::default() }).unwrap(),
            takes_rest: false,
            options: Options {
                region: "eu-central-1".to_owned(),
                endpoint: Some(self.url.clone()),
                log_group_name: format!("/tenants/{name}/a"),
                log_stream_name: "s".to_owned(),
                confine: Some(format!("/tenants/{name}/")),
                flush_after: 200,
                buffer_bytes: 8 << 20,
                ..Options::default()
            },
            credentials: Arc::new(Keys),
            dead_letters: None,
            filter: None,
            limits: Limits {
                bounds: Bounds { memory: Some(MEMORY), ..Bounds::default() },
                ..Limits::default()
            },
            origin: String::new(),
        }
    }

    /// A tenant whose component misbehaves like this.
    fn attacker(&self, hostile: &Runtime, name: &str, how: &str) -> Tenant {
        let tenant = self.tenant(name);
        let options = Options { log_stream_name: how.to_owned(), ..tenant.options };
        Tenant { runtime: hostile.clone(), options, ..tenant }
    }

    /// Has the victim ship so many lines, slowly enough that there is time to be disturbed; how long it took from
    /// the first line to the last being accepted, and the longest that one waited for that.
    async fn ship(&self, lines: usize) -> (Duration, Duration) {
        let labels = BTreeMap::new();
        let candidate = Candidate { id: "victim", name: "victim", labels: &labels, networks: Vec::new() };
        let seat = self.tenants.roster().assign(&candidate).await.unwrap();
        let before = self.control.events("/tenants/victim/a").len();
        let opening = Opening {
            framing: Framing::Lines,
            start: 0,
            taken: Positions::default(),
            lost: None,
            terminal: false,
            container: Container::default(),
        };
        let accepted = Arc::new(Accepted::default());
        let writer = seat.hub.open(opening, accepted.clone());
        let began = Instant::now();
        let mut longest = Duration::ZERO;
        let mut written = 0;
        for round in 0..20 {
            let mut text = String::new();
            for number in 0..lines / 20 {
                text.push_str(&format!("line {round} {number} {}\n", "x".repeat(80)));
            }
            written += text.len() as u64;
            let sent = Instant::now();
            for part in text.as_bytes().chunks(64 << 10) {
                writer.room().await;
                writer.write(part.to_vec().into());
            }
            while accepted.offset() < written {
                tokio::time::sleep(Duration::from_millis(2)).await;
                assert!(sent.elapsed() < Duration::from_secs(60), "the victim is starved");
            }
            longest = longest.max(sent.elapsed());
        }
        writer.end();
        let arrived = self.control.events("/tenants/victim/a").len() - before;
        assert_eq!(arrived, lines / 20 * 20, "each line once");
        (began.elapsed(), longest)
    }
}

#[derive(Default)]
struct Accepted(Mutex<u64>);

impl Accepted {
    fn offset(&self) -> u64 {
        *self.0.lock().unwrap()
    }
}

impl Keep for Accepted {
    fn keep(&self, accepted: &Positions) {
        *self.0.lock().unwrap() = accepted.stdout.map_or(0, |position| position.offset);
    }
}

const ATTACKS: [&str; 7] = ["loop", "poll", "allocate", "trap", "resources", "shout", "deaf"];

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_tenant_is_delivered_whatever_others_do() {
    const LINES: usize = 40_000;
    let mut stage = Stage::new();
    let hostile = stage.runtime.with_component(hostile()).unwrap();
    stage.tenants.apply(vec![stage.tenant("victim")]).await.unwrap();
    let (alone, longest_alone) = stage.ship(LINES).await;
    let mut table = format!("{:>10} {:>7.2} s {:>7.0} ms\n", "alone", alone.as_secs_f64(), ms(longest_alone));
    for how in ATTACKS {
        let mut all = vec![stage.tenant("victim")];
        for number in 1..=4 {
            all.push(stage.attacker(&hostile, &format!("{how}-{number}"), how));
        }
        stage.tenants.apply(all).await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        let (took, longest) = stage.ship(LINES).await;
        table.push_str(&format!("{how:>10} {:>7.2} s {:>7.0} ms\n", took.as_secs_f64(), ms(longest)));
        assert!(took < alone * 6 + Duration::from_secs(4), "{table}");
        assert!(longest < longest_alone * 6 + Duration::from_millis(1_500), "{table}");
    }
    eprintln!("the victim's delivery of {LINES} lines, and its slowest twentieth:\n{table}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_tenant_is_delivered_beside_all_of_them_at_once() {
    const LINES: usize = 40_000;
    let mut stage = Stage::new();
    let hostile = stage.runtime.with_component(hostile()).unwrap();
    stage.tenants.apply(vec![stage.tenant("victim")]).await.unwrap();
    let (alone, longest_alone) = stage.ship(LINES).await;
    let mut all = vec![stage.tenant("victim")];
    all.extend(ATTACKS.map(|how| stage.attacker(&hostile, &format!("all-{how}"), how)));
    stage.tenants.apply(all).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let (took, longest) = stage.ship(LINES).await;
    eprintln!(
        "alone {:.2} s, {:.0} ms; beside all {:.2} s, {:.0} ms",
        alone.as_secs_f64(),
        ms(longest_alone),
        took.as_secs_f64(),
        ms(longest)
    );
    assert!(took < alone * 8 + Duration::from_secs(4), "{took:?} instead of {alone:?}");
    assert!(
        longest < longest_alone * 8 + Duration::from_millis(1_500),
        "{longest:?} instead of {longest_alone:?}"
    );
    stage.tenants.stop();
    let ended = tokio::time::timeout(Duration::from_secs(10), stage.tenants.ended());
    let ended: Vec<_> = ended.await.expect("all end").into_iter().map(|(name, _)| name).collect();
    assert!(!ended.iter().any(|name| name == "victim"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn who_computes_for_ever_is_ended_however_it_goes_about_it() {
    let mut stage = Stage::new();
    let hostile = stage.runtime.with_component(hostile()).unwrap();
    let all = ["loop", "poll", "nap"].map(|how| stage.attacker(&hostile, &format!("ever-{how}"), how));
    stage.tenants.apply(all.into()).await.unwrap();
    for how in ["loop", "poll", "nap"] {
        let tenant = format!("ever-{how}");
        let began = Instant::now();
        while !Ears::here().heard(&tenant).iter().any(|line| line.contains("it computed for 10 s, in which"))
        {
            tokio::time::sleep(Duration::from_millis(100)).await;
            // Three at once, on two processors that others use as well.
            assert!(began.elapsed() < Duration::from_secs(120), "{how} goes on for ever");
        }
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn nobody_reaches_anything_but_the_own_endpoint_and_groups() {
    let mut stage = Stage::new();
    let hostile = stage.runtime.with_component(hostile()).unwrap();
    let all = ["elsewhere", "environment"].map(|how| stage.attacker(&hostile, how, how));
    stage.tenants.apply(all.into()).await.unwrap();
    let began = Instant::now();
    let said = |tenant: &str, words: &str| Ears::here().heard(tenant).iter().any(|line| line.contains(words));
    for (tenant, words) in [
        ("elsewhere", "another host: denied"),
        ("elsewhere", "the metadata service: denied"),
        ("elsewhere", "another action: denied"),
        ("elsewhere", "another group: denied"),
        ("elsewhere", "two groups: denied"),
        // Without a signature, but that is for the endpoint to say.
        ("elsewhere", "its own group: status 4"),
        ("environment", "variables: 0"),
        ("environment", "arguments: 0"),
        ("environment", "files: false"),
        ("environment", "passwords: false"),
        ("environment", "sockets: false"),
    ] {
        while !said(tenant, words) {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let heard = Ears::here().heard(tenant);
            assert!(began.elapsed() < Duration::from_secs(30), "{words:?} is not in {heard:#?}");
        }
    }
    assert!(stage.control.events("/tenants/victim/a").is_empty());
    let refused = "\ncloudspout_requests_refused_total{tenant=\"elsewhere\"} 5\n";
    let page = stage.board.metrics(Format::Prometheus);
    assert!(page.contains(refused), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_tenant_that_breaks_down_is_seen_apart_from_the_others() {
    let mut stage = Stage::new();
    let hostile = stage.runtime.with_component(hostile()).unwrap();
    let all = vec![stage.tenant("well"), stage.attacker(&hostile, "down", "trap")];
    stage.tenants.apply(all).await.unwrap();
    let began = Instant::now();
    let patience = Duration::from_secs(300);
    let problem = loop {
        if let Some(problem) = stage.board.problems(patience).pop() {
            break problem;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(began.elapsed() < Duration::from_secs(30), "it is not seen");
    };
    assert!(problem.starts_with("tenant \"down\": the component broke down"), "{problem}");
    assert!(problem.contains("it is begun again in "), "{problem}");
    let page = stage.board.metrics(Format::Prometheus);
    let value = |name: &str, tenant: &str| {
        let sample = format!("{name}{{tenant=\"{tenant}\"}} ");
        let value = page.lines().find_map(|line| line.strip_prefix(&sample)?.parse::<f64>().ok());
        value.unwrap_or_else(|| panic!("no {sample} in {page}"))
    };
    assert_eq!(value("cloudspout_restarts_total", "well"), 0.0);
    assert_eq!(value("cloudspout_running", "well"), 1.0);
    assert!(value("cloudspout_restarts_total", "down") >= 1.0);
    assert!(value("cloudspout_instance_memory_bytes", "well") < MEMORY as f64);
    let status = stage.board.status();
    let shown = status["shipping"].as_array().unwrap();
    assert!(shown.iter().any(|shown| shown["tenant"] == "down" && shown["restarts"] != 0), "{status:#}");
}
