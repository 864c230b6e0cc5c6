//! An imitation of a Docker daemon: an Engine API on a socket, over containers that tests play.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::docker::instant::nanoseconds;

/// The daemon. Its containers outlive its ends and starts.
pub struct Daemon {
    directory: PathBuf,
    world: Arc<World>,
    serving: Option<JoinHandle<()>>,
}

struct World {
    state: Mutex<State>,
    /// Moves with every change.
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    /// Seconds of the daemon's clock; every happening takes one.
    clock: u64,
    containers: BTreeMap<String, Container>,
    events: Vec<(u64, String)>,
    requests: Vec<String>,
    /// Counts the times that connections were cut.
    cuts: u64,
    /// Containers that start once somebody has subscribed to events, and before anybody lists.
    start_on_subscription: Vec<String>,
}

#[derive(Clone, Default)]
struct Container {
    running: bool,
    run: u64,
    started: u64,
    finished: u64,
    env: Vec<String>,
    /// What asking for the log answers, if not the log.
    refusal: Option<u16>,
    /// Time, and a frame or a line of the log.
    log: Vec<(u64, Vec<u8>)>,
    /// How many of the last frames of a run whoever follows does not get.
    left_out: usize,
}

impl Container {
    /// The last so many frames.
    fn tail(&self, count: Option<usize>) -> &[(u64, Vec<u8>)] {
        &self.log[self.log.len().saturating_sub(count.unwrap_or(usize::MAX))..]
    }
}

impl Daemon {
    pub fn new() -> Daemon {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory =
            std::env::temp_dir().join(format!("cloudspout-docker-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let world = World { state: Mutex::default(), changed: watch::channel(0).0 };
        world.lock().clock = FIRST_SECOND;
        let mut daemon = Daemon { directory, world: Arc::new(world), serving: None };
        daemon.up();
        daemon
    }

    pub fn root(&self) -> PathBuf {
        self.directory.clone()
    }

    pub fn socket(&self) -> PathBuf {
        self.directory.join("docker.sock")
    }

    /// The daemon's time, in nanoseconds.
    pub fn now(&self) -> u64 {
        self.world.lock().clock * 1_000_000_000
    }

    pub fn up(&mut self) {
        let listener = UnixListener::bind(self.socket()).unwrap();
        let world = Arc::clone(&self.world);
        self.serving = Some(tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(Arc::clone(&world), stream));
            }
        }));
    }

    /// Nobody listens any more, and every connection is cut. Events are forgotten.
    pub fn down(&mut self) {
        self.serving.take().unwrap().abort();
        std::fs::remove_file(self.socket()).unwrap();
        self.world.change(|state| state.events.clear());
        self.cut();
    }

    /// Cuts every connection.
    pub fn cut(&self) {
        self.world.change(|state| state.cuts += 1);
    }

    pub fn create(&self, name: &str, env: &[&str]) {
        let env = env.iter().map(|&entry| entry.to_owned()).collect();
        self.world.change(|state| {
            state.containers.insert(name.to_owned(), Container { env, ..Container::default() });
            state.happen("create", name);
        });
    }

    pub fn refuse_log(&self, name: &str, status: u16) {
        self.world.change(|state| state.containers.get_mut(name).unwrap().refusal = Some(status));
    }

    pub fn start(&self, name: &str) {
        self.world.change(|state| state.start(name));
    }

    /// Ends a run, of which so many frames more are written than whoever follows is sent.
    pub fn stop_early(&self, name: &str, lines: &[&str]) {
        self.world.change(|state| {
            state.containers.get_mut(name).unwrap().left_out = lines.len();
            for line in lines {
                state.log(name, line);
            }
            state.stop(name);
        });
    }

    pub fn start_on_subscription(&self, name: &str) {
        self.create(name, &[]);
        self.world.change(|state| state.start_on_subscription.push(name.to_owned()));
    }

    pub fn stop(&self, name: &str) {
        self.world.change(|state| state.stop(name));
    }

    pub fn remove(&self, name: &str) {
        self.world.change(|state| {
            state.containers.remove(name);
            state.happen("destroy", name);
        });
    }

    /// A container writes to its standard output.
    pub fn log(&self, name: &str, text: &str) {
        self.world.change(|state| state.log(name, text));
    }

    /// A container writes to the file of its log.
    pub fn log_to_file(&self, name: &str, text: &str) {
        let path = self.log_file(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        let mut state = self.world.lock();
        state.clock += 1;
        let entry = serde_json::json!({"log": text, "stream": "stdout", "time": time(state.clock)});
        writeln!(file, "{entry}").unwrap();
    }

    pub fn log_file(&self, name: &str) -> PathBuf {
        let id = id(name);
        self.directory.join("containers").join(&id).join(format!("{id}-json.log"))
    }

    /// How often something was asked for.
    pub fn requests(&self, containing: &str) -> usize {
        self.world.lock().requests.iter().filter(|request| request.contains(containing)).count()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

impl State {
    fn happen(&mut self, action: &str, name: &str) {
        self.clock += 1;
        let nanos = self.clock * 1_000_000_000;
        let id = id(name);
        let event = format!(
            r#"{{"status":"{action}","id":"{id}","Type":"container","Action":"{action}","Actor":{{"ID":"{id}","Attributes":{{}}}},"timeNano":{nanos}}}"#
        );
        self.events.push((self.clock, event));
    }

    fn log(&mut self, name: &str, text: &str) {
        self.clock += 1;
        let clock = self.clock;
        let payload = format!("{} {text}", time(clock));
        let mut frame = vec![1, 0, 0, 0];
        frame.extend((payload.len() as u32).to_be_bytes());
        frame.extend(payload.as_bytes());
        self.containers.get_mut(name).unwrap().log.push((clock, frame));
    }

    fn start(&mut self, name: &str) {
        self.happen("start", name);
        let clock = self.clock;
        let container = self.containers.get_mut(name).unwrap();
        let run = container.run + 1;
        *container = Container { running: true, run, started: clock, left_out: 0, ..container.clone() };
    }

    fn stop(&mut self, name: &str) {
        self.happen("die", name);
        let clock = self.clock;
        let container = self.containers.get_mut(name).unwrap();
        *container = Container { running: false, finished: clock, ..container.clone() };
    }

    fn by_id(&self, wanted: &str) -> Option<(&String, &Container)> {
        self.containers.iter().find(|(name, _)| id(name) == wanted)
    }
}

impl World {
    fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let result = change(&mut self.lock());
        self.changed.send_modify(|changes| *changes += 1);
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

/// Answers one request, and closes.
async fn serve(world: Arc<World>, stream: UnixStream) {
    let mut stream = BufReader::new(stream);
    let mut request = String::new();
    // A client that goes away is none of our business.
    let _ = async {
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await?;
            if line.trim().is_empty() {
                break;
            }
            request.push_str(&line);
        }
        let target = request.split(' ').nth(1).unwrap().to_owned();
        world.lock().requests.push(target.clone());
        answer(&world, stream.get_mut(), &target).await
    }
    .await;
}

async fn answer(world: &World, stream: &mut UnixStream, target: &str) -> io::Result<()> {
    if target == "/_ping" {
        return stream
            .write_all(b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\nOK")
            .await;
    }
    let Some(target) = target.strip_prefix("/v1.41") else { return refuse(stream, 400).await };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let parameter = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let since = parameter("since").map_or(0, |since| since.split_once('.').unwrap().0.parse().unwrap());
    match path.split('/').skip(1).collect::<Vec<_>>()[..] {
        ["info"] => {
            let info = format!(r#"{{"Name":"node","SystemTime":"{}"}}"#, time(world.lock().clock));
            json(stream, &info).await
        }
        ["events"] => events(world, stream, since).await,
        ["containers", "json"] => {
            let listed: Vec<String> =
                world.lock().containers.iter().map(|(name, container)| listed(name, container)).collect();
            json(stream, &format!("[{}]", listed.join(","))).await
        }
        ["containers", id, "json"] => {
            let found = world.lock().by_id(id).map(|(name, container)| inspected(name, container));
            match found {
                Some(found) => json(stream, &found).await,
                None => refuse(stream, 404).await,
            }
        }
        ["containers", id, "logs"] if parameter("follow") == Some("1") => {
            follow(world, stream, id, since).await
        }
        ["containers", id, "logs"] => {
            let tail = parameter("tail").map(|count| count.parse().unwrap());
            stored(world, stream, id, since, tail).await
        }
        _ => refuse(stream, 404).await,
    }
}

async fn events(world: &World, stream: &mut UnixStream, since: u64) -> io::Result<()> {
    stream.write_all(CHUNKED).await?;
    let mut changed = world.changed.subscribe();
    world.change(|state| {
        for name in std::mem::take(&mut state.start_on_subscription) {
            state.start(&name);
        }
    });
    let (mut next, cuts) = (since, world.lock().cuts);
    loop {
        let (happened, cut) = {
            let state = world.lock();
            let happened: Vec<_> = state.events.iter().filter(|(clock, _)| *clock >= next).cloned().collect();
            (happened, state.cuts != cuts)
        };
        if cut {
            return Ok(());
        }
        for (clock, event) in happened {
            // In two pieces, as they may come.
            let (head, tail) = event.split_at(event.len() / 2);
            chunk(stream, head.as_bytes()).await?;
            chunk(stream, format!("{tail}\n").as_bytes()).await?;
            next = clock + 1;
        }
        changed.changed().await.unwrap();
    }
}

/// What is there of a log, or how asking for it is refused.
fn log_of(world: &World, id: &str) -> Result<Container, u16> {
    let found = world.lock().by_id(id).map(|(_, container)| container.clone()).ok_or(404_u16)?;
    found.refusal.map_or(Ok(found.clone()), Err)
}

async fn stored(
    world: &World,
    stream: &mut UnixStream,
    id: &str,
    since: u64,
    tail: Option<usize>,
) -> io::Result<()> {
    let container = match log_of(world, id) {
        Ok(container) => container,
        Err(status) => return refuse(stream, status).await,
    };
    stream.write_all(CHUNKED).await?;
    for (_, frame) in container.tail(tail).iter().filter(|(clock, _)| *clock >= since) {
        chunk(stream, frame).await?;
    }
    stream.write_all(b"0\r\n\r\n").await
}

async fn follow(world: &World, stream: &mut UnixStream, id: &str, since: u64) -> io::Result<()> {
    let Container { run, running, .. } = match log_of(world, id) {
        Ok(container) => container,
        Err(status) => return refuse(stream, status).await,
    };
    if !running {
        return stored(world, stream, id, since, None).await;
    }
    stream.write_all(CHUNKED).await?;
    let mut changed = world.changed.subscribe();
    let (mut sent, cuts) = (0, world.lock().cuts);
    loop {
        let (found, cut) = {
            let state = world.lock();
            (state.by_id(id).map(|(_, container)| container.clone()), state.cuts != cuts)
        };
        if cut {
            return Ok(());
        }
        let Some(container) = found else { return stream.write_all(b"0\r\n\r\n").await };
        let known = container.log.len() - container.left_out;
        for (_, frame) in container.log[..known].iter().skip(sent).filter(|(clock, _)| *clock >= since) {
            chunk(stream, frame).await?;
        }
        sent = known;
        if !container.running || container.run != run {
            return stream.write_all(b"0\r\n\r\n").await;
        }
        changed.changed().await.unwrap();
    }
}

async fn chunk(stream: &mut UnixStream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(format!("{:x}\r\n", bytes.len()).as_bytes()).await?;
    stream.write_all(bytes).await?;
    stream.write_all(b"\r\n").await
}

async fn json(stream: &mut UnixStream, body: &str) -> io::Result<()> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(head.as_bytes()).await
}

async fn refuse(stream: &mut UnixStream, status: u16) -> io::Result<()> {
    let body = r#"{"message":"no"}"#;
    let head = format!("HTTP/1.1 {status} No\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(head.as_bytes()).await
}

fn listed(name: &str, container: &Container) -> String {
    let state = match (container.running, container.run) {
        (true, _) => "running",
        (false, 0) => "created",
        (false, _) => "exited",
    };
    format!(r#"{{"Id":"{}","State":"{state}"}}"#, id(name))
}

fn inspected(name: &str, container: &Container) -> String {
    let Container { running, started, finished, env, .. } = container;
    serde_json::json!({
        "Id": id(name),
        "Name": format!("/{name}"),
        "State": {"Running": running, "StartedAt": time(*started), "FinishedAt": time(*finished)},
        "Config": {"Env": env, "Tty": false, "Labels": null},
        "HostConfig": {"LogConfig": {"Type": "json-file", "Config": {}}},
    })
    .to_string()
}

pub fn id(name: &str) -> String {
    name.bytes()
        .map(|byte| format!("{byte:02x}"))
        .chain(std::iter::repeat_n("00".to_owned(), 32))
        .take(32)
        .collect()
}

/// A second in RFC 3339; 0 stands for never.
fn time(clock: u64) -> String {
    if clock == 0 {
        return "0001-01-01T00:00:00Z".to_owned();
    }
    let since_noon = clock - FIRST_SECOND;
    let (minutes, seconds) = (since_noon / 60, since_noon % 60);
    let text = format!("2026-11-21T12:{minutes:02}:{seconds:02}.000000000Z");
    assert_eq!(nanoseconds(&text), Some(clock * 1_000_000_000));
    text
}

/// 2026-11-21T12:00:00Z.
const FIRST_SECOND: u64 = 1_795_262_400;
const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
