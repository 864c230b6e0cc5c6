//! The real Envoy, with our module in it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::load;
use crate::peers::free_port;
use crate::process::{Ended, Running, eventually, installed, run};
use crate::program::{KEY_ID, PATIENCE, REGION, SECRET, target};

/// How an Envoy is set up.
pub struct Setup {
    /// The module's configuration.
    pub configuration: Value,
    pub place: Place,
    /// Whether the cluster for CloudWatch Logs signs.
    pub signer: bool,
    /// Environment of the module's VM.
    pub variables: Vec<(&'static str, String)>,
    /// Fields of the plugin beyond the usual.
    pub plugin: Value,
    /// Further clusters, by name and port on this machine.
    pub clusters: Vec<(&'static str, u16)>,
    pub workers: u32,
    /// Whether listeners come from a file that can be changed.
    pub dynamic: bool,
}

/// Where the module stands in Envoy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nowhere: for comparison.
    Absent,
    AccessLog,
    HttpFilter,
    /// Envoy's own logger to a file stands there, with the fields of our usual line: for comparison.
    FileLog,
}

/// An Envoy that runs.
pub struct Envoy {
    running: Running,
    folder: TempDir,
    port: u16,
    admin: u16,
}

pub const GROUP: &str = "/envoy/access";
pub const NODE: &str = "edge-1";
/// A cluster of this name answers what is asked for below `/web`, as `cloudspout local` does.
pub const WEB: &str = "web";

impl Default for Setup {
    /// An access logger that sends soon, through a cluster that signs.
    fn default() -> Setup {
        Setup {
            configuration: json!({
                "region": REGION,
                "cluster": "cloudwatch_logs",
                "group": GROUP,
                "line": "{request.path}",
                "flush_after": "200ms",
            }),
            place: Place::AccessLog,
            signer: true,
            variables: Vec::new(),
            plugin: json!({}),
            clusters: Vec::new(),
            workers: 2,
            dynamic: false,
        }
    }
}

impl Setup {
    /// With fields of the module's configuration changed.
    pub fn with(mut self, fields: Value) -> Setup {
        merge(&mut self.configuration, fields);
        self
    }

    fn plugin(&self, configuration: &Value) -> Value {
        let variables: serde_json::Map<_, _> =
            self.variables.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let mut plugin = json!({
            "name": "cloudspout",
            "failure_policy": "FAIL_RELOAD",
            "vm_config": {
                "vm_id": "cloudspout",
                "runtime": "envoy.wasm.runtime.v8",
                "code": {"local": {"filename": module().to_str()}},
                "environment_variables": {"key_values": variables},
            },
            "configuration": {
                "@type": "type.googleapis.com/google.protobuf.StringValue",
                "value": configuration.to_string(),
            },
        });
        merge(&mut plugin, self.plugin.clone());
        plugin
    }

    fn listener(&self, port: u16, configuration: &Value) -> Value {
        let mut manager = json!({
            "@type": extension("filters.network.http_connection_manager.v3.HttpConnectionManager"),
            "stat_prefix": "http",
            "route_config": {"virtual_hosts": [{
                "name": "all",
                "domains": ["*"],
                "routes": [
                    {
                        "match": {"prefix": "/missing"},
                        "direct_response": {"status": 404},
                        "metadata": {"filter_metadata": {"team.a": {"name": "blue", "size": 3, "on": true}}},
                    },
                    {"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "ok"}}},
                ],
            }]},
        });
        if self.clusters.iter().any(|(name, _)| *name == WEB) {
            let route = json!({
                "name": "to-web",
                "match": {"prefix": "/web"},
                "route": {"cluster": WEB, "prefix_rewrite": "/_local/health"},
            });
            let routes = &mut manager["route_config"]["virtual_hosts"][0]["routes"];
            routes.as_array_mut().expect("a list").insert(0, route);
        }
        let router = filter("router", json!({"@type": extension("filters.http.router.v3.Router")}));
        let mut filters = vec![router];
        match self.place {
            Place::Absent => {}
            Place::AccessLog => {
                manager["access_log"] = json!([{
                    "name": "envoy.access_loggers.wasm",
                    "typed_config": {
                        "@type": extension("access_loggers.wasm.v3.WasmAccessLog"),
                        "config": self.plugin(configuration),
                    },
                }]);
            }
            Place::HttpFilter => {
                let config = json!({
                    "@type": extension("filters.http.wasm.v3.Wasm"),
                    "config": self.plugin(configuration),
                });
                filters.insert(0, filter("wasm", config));
            }
            Place::FileLog => {
                manager["access_log"] = json!([{
                    "name": "envoy.access_loggers.file",
                    "typed_config": {
                        "@type": extension("access_loggers.file.v3.FileAccessLog"),
                        "path": "access.log",
                        "log_format": {"json_format": {
                            "method": "%REQ(:METHOD)%", "host": "%REQ(:AUTHORITY)%", "path": "%REQ(:PATH)%",
                            "status": "%RESPONSE_CODE%", "flags": "%RESPONSE_FLAGS%", "duration_ms": "%DURATION%",
                            "bytes_received": "%BYTES_RECEIVED%", "bytes_sent": "%BYTES_SENT%",
                            "client": "%DOWNSTREAM_REMOTE_ADDRESS%", "upstream": "%UPSTREAM_HOST%",
                            "request_id": "%REQ(X-REQUEST-ID)%",
                        }},
                    },
                }]);
            }
        }
        manager["http_filters"] = json!(filters);
        json!({
            "name": "http",
            "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
            "filter_chains": [{"filters": [{
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": manager,
            }]}],
        })
    }

    fn bootstrap(&self, folder: &Path, endpoint: u16, port: u16, admin: u16) -> Value {
        let mut cloudwatch = cluster("cloudwatch_logs", endpoint);
        if self.signer {
            let signing = json!({
                "@type": extension("filters.http.aws_request_signing.v3.AwsRequestSigning"),
                "service_name": "logs",
                "region": REGION,
            });
            let codec = json!({"@type": extension("filters.http.upstream_codec.v3.UpstreamCodec")});
            cloudwatch["typed_extension_protocol_options"] = json!({
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                    "@type": extension("upstreams.http.v3.HttpProtocolOptions"),
                    "explicit_http_config": {"http_protocol_options": {}},
                    "http_filters": [filter("aws_request_signing", signing), filter("upstream_codec", codec)],
                },
            });
        }
        let mut clusters = vec![cloudwatch];
        clusters.extend(self.clusters.iter().map(|(name, port)| cluster(name, *port)));
        let mut bootstrap = json!({
            "node": {
                "id": NODE,
                "cluster": "edge",
                "locality": {"region": "r1", "zone": "z1"},
                "metadata": {"pod": "pod-7"},
            },
            "static_resources": {"clusters": clusters},
            "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": admin}}},
        });
        if self.dynamic {
            let file = folder.join("listeners.json");
            fs::write(&file, self.discovery(port, &self.configuration, 0).to_string()).expect("a file");
            bootstrap["dynamic_resources"] =
                json!({"lds_config": {"path_config_source": {"path": file.to_str()}}});
        } else {
            bootstrap["static_resources"]["listeners"] = json!([self.listener(port, &self.configuration)]);
        }
        bootstrap
    }

    fn discovery(&self, port: u16, configuration: &Value, version: usize) -> Value {
        let mut listener = self.listener(port, configuration);
        listener["@type"] = json!("type.googleapis.com/envoy.config.listener.v3.Listener");
        json!({"version_info": version.to_string(), "resources": [listener]})
    }

    /// Has Envoy look at the configuration and end.
    pub fn validate(&self) -> Ended {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let bootstrap = self.bootstrap(folder.path(), free_port(), free_port(), free_port());
        let mut command = command(folder.path(), &bootstrap.to_string(), "json", self.workers);
        command.args(["--mode", "validate"]);
        run("envoy --mode validate", &mut command, PATIENCE)
    }

    /// Starts Envoy; the endpoint listens on this port.
    pub fn start(&self, endpoint: u16) -> Envoy {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (port, admin) = (free_port(), free_port());
        let bootstrap = self.bootstrap(folder.path(), endpoint, port, admin).to_string();
        Envoy::launch(folder, &bootstrap, "json", self.workers, port, admin)
    }
}

impl Envoy {
    /// Starts Envoy with a configuration of its own, which names these ports.
    pub fn of(yaml: &str, port: u16, admin: u16) -> Envoy {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::copy(module(), folder.path().join("cloudspout-envoy.wasm")).expect("the module");
        Self::launch(folder, yaml, "yaml", 2, port, admin)
    }

    fn launch(folder: TempDir, bootstrap: &str, form: &str, workers: u32, port: u16, admin: u16) -> Envoy {
        let mut command = command(folder.path(), bootstrap, form, workers);
        let said = File::create(folder.path().join("said")).expect("a file");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said);
        let mut running = Running::start("envoy", &mut command);
        let said = folder.path().join("said");
        eventually("envoy listening", Duration::from_secs(60), || {
            assert!(running.is_running(), "envoy ended:\n{}", fs::read_to_string(&said).unwrap_or_default());
            load::get(admin, "/ready").filter(|(status, _)| *status == 200)?;
            load::get(admin, "/listeners").filter(|(_, listeners)| listeners.contains(&format!(":{port}")))
        });
        Envoy { running, folder, port, admin }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn id(&self) -> u32 {
        self.running.id()
    }

    /// Sends so many requests, each for a path of its own: `/label/0`, `/label/1`, …; returns the paths.
    pub fn requests(&self, label: &str, count: usize) -> Vec<String> {
        let paths: Vec<_> = (0..count).map(|number| format!("/{label}/{number}")).collect();
        load::get_all(self.port, &paths, 32);
        paths
    }

    /// One of the module's statistics; 0 before it is there.
    pub fn stat(&self, name: &str) -> u64 {
        let wanted = format!("wasmcustom.cloudspout.{name}: ");
        let path = format!("/stats?filter=cloudspout.{name}$");
        let (_, stats) = load::get(self.admin, &path).expect("the admin interface answers");
        stats.lines().find_map(|line| line.strip_prefix(&wanted)?.trim().parse().ok()).unwrap_or(0)
    }

    /// Waits until a statistic is so high.
    pub fn wait_for(&self, name: &str, value: u64, bound: Duration) {
        let mut last = 0;
        eventually(&format!("{name} of {value}"), bound, || {
            last = self.stat(name);
            (last >= value).then_some(())
        });
    }

    /// Asks the admin interface to do something.
    pub fn post(&self, path: &str) {
        let (status, text) = load::post(self.admin, path).expect("the admin interface answers");
        assert_eq!(status, 200, "{path}: {text}");
    }

    /// What the admin interface says.
    pub fn admin(&self, path: &str) -> String {
        load::get(self.admin, path).expect("the admin interface answers").1
    }

    /// Changes the module's configuration, as a control plane does; of a `dynamic` setup.
    pub fn update(&self, setup: &Setup, configuration: &Value, version: usize) {
        let file = self.folder.path().join("listeners.json");
        let new = file.with_extension("new");
        fs::write(&new, setup.discovery(self.port, configuration, version).to_string()).expect("a file");
        // Envoy watches for a file that is moved there.
        fs::rename(new, file).expect("a file");
        let path = "/stats?filter=listener_manager.listener_modified$";
        eventually("the update of the listener", Duration::from_secs(30), || {
            let modified = self.admin(path);
            modified.trim().rsplit(' ').next()?.parse::<usize>().ok().filter(|modified| *modified >= version)
        });
    }

    /// What it has said so far.
    pub fn said(&self) -> String {
        fs::read_to_string(self.folder.path().join("said")).expect("the file")
    }

    /// Ends it, as a service manager does; what it said.
    pub fn stop(mut self) -> String {
        self.running.signal("TERM");
        self.running.wait(PATIENCE);
        let said = self.said();
        for secret in [SECRET, crate::program::TEMPORARY_SECRET, crate::program::TEMPORARY_TOKEN] {
            assert!(!said.contains(secret), "a secret is told:\n{said}");
        }
        said
    }
}

/// Has Envoy look at a configuration of its own and end; the module lies beside it.
pub fn validate(yaml: &str) -> Ended {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::copy(module(), folder.path().join("cloudspout-envoy.wasm")).expect("the module");
    let mut command = command(folder.path(), yaml, "yaml", 1);
    run("envoy --mode validate", command.args(["--mode", "validate"]), PATIENCE)
}

/// Where `cargo xtask envoy` puts the module.
pub fn module() -> PathBuf {
    let module = target().join("cloudspout-envoy.wasm");
    assert!(module.exists(), "{} is missing: run cargo xtask envoy first", module.display());
    module.canonicalize().expect("a path")
}

fn command(folder: &Path, bootstrap: &str, form: &str, workers: u32) -> Command {
    let file = folder.join(format!("envoy.{form}"));
    fs::write(&file, bootstrap).expect("a file");
    let mut command = Command::new(installed("envoy/envoy/_bin/envoy"));
    command.env_clear().current_dir(folder).arg("--config-path").arg(file);
    command.args(["--disable-hot-restart", "--log-level", "warning", "--component-log-level", "wasm:info"]);
    // A listener that was replaced is let go soon.
    command.args(["--concurrency", &workers.to_string(), "--drain-time-s", "1"]);
    command.env("AWS_EC2_METADATA_DISABLED", "true").env("HOME", folder);
    command.env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", SECRET);
    command
}

fn cluster(name: &str, port: u16) -> Value {
    json!({
        "name": name,
        "type": "STATIC",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {
            "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        }}]}]},
    })
}

fn filter(name: &str, config: Value) -> Value {
    json!({"name": format!("envoy.filters.http.{name}"), "typed_config": config})
}

fn extension(name: &str) -> String {
    format!("type.googleapis.com/envoy.extensions.{name}")
}

/// Puts fields into an object, and into the objects in it.
fn merge(into: &mut Value, fields: Value) {
    match (into, fields) {
        (Value::Object(into), Value::Object(fields)) => {
            for (name, value) in fields {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, value) => *into = value,
    }
}
