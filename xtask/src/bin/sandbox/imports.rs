//! What the component imports: one log held in memory, and credentials that are always the same.

use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};

use crate::bindings::cloudspout::host::{
    credentials, dead_letters, digest, filtering, lifecycle, logs, reports, settings,
};
use crate::{State, drive, sha256};

pub struct LogStream;
pub struct Lookup;
pub struct Keeping;

/// Ready at once: there is always something to do.
struct Now;

#[wasmtime_wasi::async_trait]
impl Pollable for Now {
    async fn ready(&mut self) {}
}

impl State {
    fn now(&mut self) -> wasmtime::Result<Resource<DynPollable>> {
        let now = self.table.push(Now)?;
        subscribe(&mut self.table, now)
    }
}

impl logs::Host for State {
    fn accept(&mut self, _max: u32) -> wasmtime::Result<Vec<Resource<LogStream>>> {
        if self.framing.is_none() {
            return Ok(Vec::new());
        }
        Ok(vec![self.table.push(LogStream)?])
    }

    fn ready(&mut self, _max: u32) -> wasmtime::Result<Vec<u32>> {
        Ok(if std::mem::take(&mut self.ready) { vec![1] } else { Vec::new() })
    }

    fn subscribe(&mut self) -> wasmtime::Result<Resource<DynPollable>> {
        let never = self.table.push(Never)?;
        subscribe(&mut self.table, never)
    }
}

/// No news will come: all is there from the start.
struct Never;

#[wasmtime_wasi::async_trait]
impl Pollable for Never {
    async fn ready(&mut self) {
        std::future::pending().await
    }
}

impl logs::HostLogStream for State {
    fn id(&mut self, _stream: Resource<LogStream>) -> wasmtime::Result<u32> {
        Ok(1)
    }

    fn open(&mut self, _stream: Resource<LogStream>) -> wasmtime::Result<logs::Opened> {
        let Some(framing) = self.framing.take() else { wasmtime::bail!("the log is opened twice") };
        Ok(logs::Opened {
            framing,
            start: 0,
            taken: logs::Positions { stdout: None, stderr: None },
            lost: None,
            terminal: false,
            container: logs::Container { name: "bench".to_owned(), ..nobody() },
        })
    }

    fn read(
        &mut self,
        _stream: Resource<LogStream>,
        max: u32,
    ) -> wasmtime::Result<Result<Vec<u8>, logs::Pause>> {
        let Some(mut chunk) = self.rest.pop_front() else { return Ok(Err(logs::Pause::Ended)) };
        if chunk.len() > max as usize {
            self.rest.push_front(chunk.split_off(max as usize));
        }
        Ok(Ok(chunk))
    }

    fn resume(&mut self, _stream: Resource<LogStream>, _taken: logs::Positions) -> wasmtime::Result<u64> {
        Ok(0)
    }

    fn refuse(&mut self, _stream: Resource<LogStream>, _events: u64) -> wasmtime::Result<()> {
        Ok(())
    }

    fn acknowledge(
        &mut self,
        _stream: Resource<LogStream>,
        _accepted: logs::Positions,
    ) -> wasmtime::Result<()> {
        Ok(())
    }

    fn settle(&mut self, _stream: Resource<LogStream>, _fate: logs::Fate) -> wasmtime::Result<()> {
        Ok(())
    }

    fn drop(&mut self, stream: Resource<LogStream>) -> wasmtime::Result<()> {
        self.table.delete(stream)?;
        Ok(())
    }
}

impl lifecycle::Host for State {
    fn current_phase(&mut self) -> wasmtime::Result<lifecycle::Phase> {
        Ok(lifecycle::Phase::Finishing)
    }
}

impl credentials::Host for State {
    fn fetch(&mut self, _renew: bool) -> wasmtime::Result<Resource<Lookup>> {
        Ok(self.table.push(Lookup)?)
    }
}

impl credentials::HostLookup for State {
    fn subscribe(&mut self, _lookup: Resource<Lookup>) -> wasmtime::Result<Resource<DynPollable>> {
        self.now()
    }

    fn get(
        &mut self,
        _lookup: Resource<Lookup>,
    ) -> wasmtime::Result<Option<Result<credentials::Identity, credentials::Failure>>> {
        Ok(Some(Ok(credentials::Identity {
            access_key_id: "AKIDLOCAL".to_owned(),
            secret_access_key: "local-secret".to_owned(),
            session_token: None,
            expires: None,
        })))
    }

    fn drop(&mut self, lookup: Resource<Lookup>) -> wasmtime::Result<()> {
        self.table.delete(lookup)?;
        Ok(())
    }
}

/// Nothing is refused here.
impl dead_letters::Host for State {
    fn keep(&mut self, _lines: Vec<u8>) -> wasmtime::Result<Resource<Keeping>> {
        Ok(self.table.push(Keeping)?)
    }
}

impl dead_letters::HostKeeping for State {
    fn subscribe(&mut self, _keeping: Resource<Keeping>) -> wasmtime::Result<Resource<DynPollable>> {
        self.now()
    }

    fn get(
        &mut self,
        _keeping: Resource<Keeping>,
    ) -> wasmtime::Result<Option<Result<(), dead_letters::Failure>>> {
        Ok(Some(Ok(())))
    }

    fn drop(&mut self, keeping: Resource<Keeping>) -> wasmtime::Result<()> {
        self.table.delete(keeping)?;
        Ok(())
    }
}

impl settings::Host for State {
    fn get(&mut self) -> wasmtime::Result<settings::Options> {
        let options = drive::options();
        Ok(settings::Options {
            region: options.region,
            endpoint: options.endpoint,
            allow_regions: Vec::new(),
            allow_endpoints: Vec::new(),
            naming_mode: settings::NamingMode::Native,
            overrides: settings::Overrides::empty(),
            log_group_name: options.group,
            log_stream_name: options.stream,
            tag: None,
            stderr_group_name: None,
            stderr_stream_name: None,
            only: None,
            confine: None,
            collisions: settings::Collisions::Share,
            host_name: options.host_name,
            instance_id: String::new(),
            create_group: options.create_group,
            create_stream: options.create_stream,
            flush_after: u32::try_from(options.flush_after.0)?,
            buffer_bytes: options.buffer_bytes,
            compression: settings::Compression::None,
            in_flight: options.in_flight,
            when_full: settings::WhenFull::Wait,
            mark_gaps: options.mark_gaps,
            dead_letters: options.dead_letters,
            own_group: options.own_group,
            own_stream: options.own_stream,
            filter: None,
            time_field: None,
            message_field: None,
            multiline_pattern: None,
            datetime_format: None,
            time_format: None,
            time_zone: None,
            wrap: settings::Wrap::None,
            wrap_fields: Vec::new(),
            event_format: None,
            retention_days: None,
            retain_existing: false,
            group_tags: Vec::new(),
            kms_key_id: None,
            log_group_class: None,
            fail_fast: options.fail_fast,
            seed: options.seed,
        })
    }
}

/// The options ask for no filter.
impl filtering::Host for State {
    fn apply(
        &mut self,
        _origin: filtering::Origin,
        _events: filtering::Events,
    ) -> wasmtime::Result<Result<filtering::Outcome, filtering::Failure>> {
        Ok(Err(filtering::Failure::Broken("there is none".to_owned())))
    }
}

impl reports::Host for State {
    fn tell(&mut self, message: reports::Message) -> wasmtime::Result<()> {
        if message.severity != reports::Severity::Debug {
            eprintln!("{}", message.text);
        }
        Ok(())
    }

    fn count(&mut self, counts: reports::Counts, _status: reports::Status) -> wasmtime::Result<()> {
        self.events = counts.events_accepted;
        Ok(())
    }
}

impl digest::Host for State {
    fn sha256(&mut self, data: Vec<u8>) -> wasmtime::Result<Option<Vec<u8>>> {
        Ok(Some(sha256(&data).to_vec()))
    }
}

fn nobody() -> logs::Container {
    logs::Container {
        id: String::new(),
        name: String::new(),
        image_name: String::new(),
        image_id: String::new(),
        hostname: String::new(),
        daemon_name: String::new(),
        entrypoint: String::new(),
        args: Vec::new(),
        env: Vec::new(),
        labels: Vec::new(),
        log_options: Vec::new(),
        created: String::new(),
        log_path: String::new(),
        event: String::new(),
    }
}
