//! The program inside a container of the daemon that it follows.

use cloudspout_tests::docker::Docker;
use cloudspout_tests::process::eventually;
use cloudspout_tests::program::{self, KEY_ID, REGION, SECRET};
use cloudspout_tests::strict::Strict;

use crate::{ARRIVAL, GROUP, SOURCES};

#[test]
fn its_own_container_is_left_out_by_whatever_name_it_goes() {
    for (source, more) in SOURCES.into_iter().zip([&["--hostname", "shipper"][..], &[]]) {
        let docker = Docker::exclusive();
        let strict = Strict::start();
        let root = docker.data_root();
        // The libraries of this machine stand in for an image's.
        let mounts =
            ["/lib", "/lib64", "/usr/lib", "/etc/ssl", &root].map(|path| format!("{path}:{path}:ro"));
        let socket = docker.host().trim_start_matches("unix://").to_owned();
        let program = format!("{}:/cloudspout:ro", program::path().display());
        let socket = format!("{socket}:/docker.sock");
        let credentials = [format!("AWS_ACCESS_KEY_ID={KEY_ID}"), format!("AWS_SECRET_ACCESS_KEY={SECRET}")];
        let mut arguments =
            vec!["run", "-d", "--name", "shipper", "--network", "host", "-v", &program, "-v", &socket];
        arguments.extend(mounts.iter().flat_map(|mount| ["-v", mount]));
        arguments.extend(credentials.iter().flat_map(|pair| ["-e", pair]));
        arguments.extend(more);
        let url = strict.url();
        arguments.extend([
            "box",
            "/cloudspout",
            "run",
            "--docker-host",
            "unix:///docker.sock",
            "--region",
            REGION,
        ]);
        arguments.extend([
            "--endpoint-url",
            &url,
            "--group",
            GROUP,
            "--source",
            source,
            "--log-level",
            "debug",
        ]);
        docker.docker(&arguments);
        docker.write("writer", &[], b"a line\n", b"");
        strict.wait_for_events(1, ARRIVAL);
        let said = || docker.try_docker(&["logs", "shipper"]).stderr;
        eventually("a word about the own container", ARRIVAL, || said().contains("own").then_some(()));
        docker.docker(&["kill", "--signal", "TERM", "shipper"]);
        docker.docker(&["wait", "shipper"]);
        assert!(said().contains("1 accepted"), "{}", said());
        let streams = strict.stop().streams(GROUP);
        assert_eq!(streams.keys().collect::<Vec<_>>(), ["writer"], "{source}");
    }
}
