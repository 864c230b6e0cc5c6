//! An imitation of a Docker daemon with any number of running containers, which a real one would need
//! gigabytes for.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A daemon whose containers run, and have logged a line each; they go when this is dropped.
pub struct Imitation {
    pub host: String,
    directory: PathBuf,
    shared: Arc<Shared>,
}

struct Shared {
    root: PathBuf,
    count: usize,
    inspected: AtomicUsize,
}

impl Imitation {
    pub fn start(count: usize) -> Result<Imitation, String> {
        let directory = std::env::temp_dir().join(format!("bench-imitation-{}-{count}", std::process::id()));
        let failed = |error: io::Error| format!("an imitation of Docker: {error}");
        let shared = Arc::new(Shared { root: directory.clone(), count, inspected: AtomicUsize::new(0) });
        for number in 0..count {
            let log = shared.log(&id(number));
            fs::create_dir_all(log.parent().unwrap_or(Path::new("/"))).map_err(failed)?;
            let entry = r#"{"log":"a line\n","stream":"stdout","time":"2026-01-01T00:00:00Z"}"#;
            fs::write(log, format!("{entry}\n")).map_err(failed)?;
        }
        let socket = directory.join("socket");
        let listener = UnixListener::bind(&socket).map_err(failed)?;
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&serving);
                // Who goes away in the middle is of no interest.
                std::thread::spawn(move || drop(shared.serve(stream)));
            }
        });
        Ok(Imitation { host: format!("unix://{}", socket.display()), directory, shared })
    }

    /// The log file of a container.
    pub fn log(&self, number: usize) -> PathBuf {
        self.shared.log(&id(number))
    }

    /// Whether each container has been asked for.
    pub fn is_followed(&self) -> bool {
        self.shared.inspected.load(Ordering::Relaxed) >= self.shared.count
    }
}

impl Drop for Imitation {
    fn drop(&mut self) {
        // What cannot be removed is left in the directory for temporary files.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

impl Shared {
    fn log(&self, id: &str) -> PathBuf {
        self.root.join("containers").join(id).join(format!("{id}-json.log"))
    }

    /// Answers one request, and closes.
    fn serve(&self, mut stream: UnixStream) -> io::Result<()> {
        let mut request = String::new();
        let mut lines = BufReader::new(stream.try_clone()?);
        lines.read_line(&mut request)?;
        let mut line = String::new();
        while lines.read_line(&mut line)? > 2 {
            line.clear();
        }
        let path = request.split(' ').nth(1).and_then(|target| target.split('?').next()).unwrap_or_default();
        match path.split('/').skip(2).collect::<Vec<_>>()[..] {
            ["events"] => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
                // Nothing ever happens; the client's end ends it.
                lines.read_line(&mut line).map(drop)
            }
            ["containers", "json"] => {
                let listed = |number| format!(r#"{{"Id":"{}","State":"running"}}"#, id(number));
                let all: Vec<String> = (0..self.count).map(listed).collect();
                answer(&mut stream, &format!("[{}]", all.join(",")))
            }
            ["containers", id, "json"] => {
                self.inspected.fetch_add(1, Ordering::Relaxed);
                answer(&mut stream, &self.inspect(id))
            }
            ["info"] => answer(&mut stream, &format!(r#"{{"DockerRootDir":"{}"}}"#, self.root.display())),
            _ => answer(&mut stream, "{}"),
        }
    }

    fn inspect(&self, id: &str) -> String {
        format!(
            r#"{{"Id":"{id}","Name":"/{id}","LogPath":"{}",
            "State":{{"Running":true,"StartedAt":"2026-01-01T00:00:00Z","FinishedAt":"0001-01-01T00:00:00Z"}},
            "HostConfig":{{"LogConfig":{{"Type":"json-file","Config":{{"max-size":"10m","max-file":"3"}}}}}}}}"#,
            self.log(id).display()
        )
    }
}

fn answer(stream: &mut UnixStream, body: &str) -> io::Result<()> {
    let head = "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nConnection: close";
    write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// The id of a container, which is its name too.
pub fn id(number: usize) -> String {
    format!("{number:064x}")
}
