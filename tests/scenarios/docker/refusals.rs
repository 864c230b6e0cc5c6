//! `cloudspout run` with what cannot work: one clear line and the documented exit code.

use cloudspout_tests::docker::Docker;
use cloudspout_tests::peers::free_port;
use cloudspout_tests::program::{Program, REGION};
use cloudspout_tests::strict::Strict;

use crate::{GROUP, run};

#[test]
fn a_socket_that_is_not_there_ends_with_4() {
    let strict = Strict::start();
    for host in ["unix:///no/such/docker.sock", "unix:///etc/passwd"] {
        let program = Program::new("run").args(&["--docker-host", host, "--once"]).to(&strict.url());
        program.finish().assert_complaint(4, &[host.trim_start_matches("unix://")]);
        let program = Program::new("run").env("DOCKER_HOST", host).arg("--once").to(&strict.url());
        program.finish().assert_complaint(4, &[host.trim_start_matches("unix://")]);
    }
}

#[test]
fn a_bad_template_ends_with_3() {
    let docker = Docker::exclusive();
    let strict = Strict::start();
    docker.write("writer", &[], b"a line\n", b"");
    for template in ["{{.Name", "{{.NoSuchField}}"] {
        let program = docker.program().args(&["--once", "--stream", template]).to(&strict.url());
        program.finish().assert_complaint(3, &["template"]);
    }
    assert_eq!(strict.count("requests"), 0);
}

#[test]
fn what_the_service_refuses_ends_once_with_its_own_code() {
    let docker = Docker::exclusive();
    docker.write("writer", &[], b"a line\n", b"");
    let once = |url: &str| run(&docker, "auto", url).arg("--once").finish();
    once(&Strict::with_plan("put@*=denied").url()).assert_complaint(6, &["logs:PutLogEvents"]);
    once(&Strict::with_plan("any@*=unrecognized").url()).assert_complaint(5, &[]);
    once(&Strict::with_plan("any@*=not-aws").url()).assert_complaint(7, &["127.0.0.1"]);
    once(&format!("http://127.0.0.1:{}", free_port())).assert_complaint(7, &["127.0.0.1"]);
}

#[test]
fn missing_credentials_end_with_5() {
    let docker = Docker::exclusive();
    docker.write("writer", &[], b"a line\n", b"");
    let strict = Strict::start();
    let program = Program::bare("run").args(&["--docker-host", &docker.host(), "--once", "--region", REGION]);
    let program = program.args(&["--endpoint-url", &strict.url(), "--group", GROUP]);
    program.finish().assert_complaint(5, &["credentials"]);
}
