//! Whose a container is, and that nobody else sees it.

use std::time::Duration;

use cloudspout_tests::docker::{ARRIVAL, Docker, SOURCES};
use cloudspout_tests::process::eventually;
use cloudspout_tests::program::{TEMPORARY_KEY_ID, TEMPORARY_SECRET, TEMPORARY_TOKEN};
use cloudspout_tests::strict::{Journal, Strict};
use cloudspout_tests::text::lines;

use crate::{Config, TOP};

/// Every log stream of every group that holds something.
fn streams(journal: &Journal) -> Vec<(String, String, usize)> {
    let mut found = std::collections::BTreeMap::<_, usize>::new();
    for request in journal.0.iter().filter(|request| !request.stored.is_empty()) {
        let name = |name: &Option<String>| name.clone().unwrap_or_default();
        *found.entry((name(&request.group), name(&request.stream))).or_default() += request.stored.len();
    }
    found.into_iter().map(|((group, stream), events)| (group, stream, events)).collect()
}

fn stream(group: &str, name: &str, events: usize) -> (String, String, usize) {
    (group.to_owned(), name.to_owned(), events)
}

#[test]
fn each_tenants_lines_go_to_its_endpoint_with_its_credentials_and_nowhere_else() {
    for source in SOURCES {
        let docker = Docker::any();
        let (red, blue) = (Strict::start(), Strict::start());
        let config = Config::new(&format!(
            "{TOP}
            [[tenant]]
            name = 'red'
            match-label = ['team=red']
            endpoint-url = '{}'
            group = '/tenants/red'
            confine = '/tenants/red'

            [[tenant]]
            name = 'blue'
            match-name = ['blue-*']
            endpoint-url = '{}'
            group = '/tenants/blue/{{{{.Name}}}}'
            confine = '/tenants/blue/'
            compression = 'gzip'
            access-key-id-from = 'env:BLUE_ID'
            secret-access-key-from = 'env:BLUE_SECRET'
            session-token-from = 'env:BLUE_TOKEN'
            ",
            red.url(),
            blue.url()
        ));
        let shipping = config
            .run(&docker)
            .args(&["--source", source])
            .env("BLUE_ID", TEMPORARY_KEY_ID)
            .env("BLUE_SECRET", TEMPORARY_SECRET)
            .env("BLUE_TOKEN", TEMPORARY_TOKEN)
            .start();
        docker.write("red-a", &["--label", "team=red"], &lines("a", 500), b"");
        docker.write("blue-b", &[], &lines("b", 700), b"");
        docker.write("other", &["--label", "team=green"], &lines("other", 10), b"");
        docker.write("both-not", &["--label", "team=redder"], &lines("both", 10), b"");
        red.wait_for_events(500, ARRIVAL);
        blue.wait_for_events(700, ARRIVAL);
        let outcome = shipping.terminate().assert_code(0);
        let (red, blue) = (red.stop(), blue.stop());
        red.assert_well_formed();
        blue.assert_well_formed();
        assert_eq!(streams(&red), [stream("/tenants/red", "red-a", 500)], "{source}");
        assert_eq!(streams(&blue), [stream("/tenants/blue/blue-b", "blue-b", 700)], "{source}");
        let nobodys = outcome.stderr.lines().filter(|line| line.contains("matches no tenant")).count();
        assert_eq!(nobodys, 1, "said once:\n{}", outcome.stderr);
        assert!(outcome.stderr.contains("tenant=\"blue\""), "{}", outcome.stderr);
    }
}

#[test]
fn a_container_of_two_tenants_is_nobodys_unless_the_first_is_to_have_it() {
    let docker = Docker::any();
    for (overlap, arrives) in [("refuse", 0), ("first", 20)] {
        docker.remove_all();
        let strict = Strict::start();
        let tenant = |name: &str, pattern: &str| {
            format!("[[tenant]]\nname = '{name}'\nmatch-name = ['{pattern}']\ngroup = '/t/{name}'\n")
        };
        let config = Config::new(&format!(
            "{TOP}on-overlap = '{overlap}'\nendpoint-url = '{}'\n{}{}[[tenant]]\nname = 'rest'\ndefault = true\ngroup = '/t/rest'",
            strict.url(),
            tenant("one", "a*"),
            tenant("two", "*b"),
        ));
        docker.write("ab", &[], &lines("ab", 20), b"");
        docker.write("ac", &[], &lines("ac", 30), b"");
        docker.write("cc", &[], &lines("c", 40), b"");
        let outcome = config.run(&docker).arg("--once").finish().assert_code(0);
        let mut expected = vec![stream("/t/one", "ac", 30), stream("/t/rest", "cc", 40)];
        if arrives > 0 {
            expected.insert(0, stream("/t/one", "ab", arrives));
        } else {
            assert!(
                outcome.stderr.contains("container ab matches several tenants (one, two)"),
                "{}",
                outcome.stderr
            );
        }
        assert_eq!(streams(&strict.stop()), expected);
    }
}

#[test]
fn a_group_outside_of_the_confinement_is_never_asked_for() {
    let docker = Docker::any();
    let strict = Strict::start();
    // The name comes from the container's own words; the host looks at what leaves.
    let config = Config::new(&format!(
        "{TOP}endpoint-url = '{}'
        [[tenant]]
        name = 'red'
        match-label = ['team=red']
        group = '/tenants/{{{{index .Labels \"to\"}}}}'
        confine = '/tenants/red/'
        ",
        strict.url()
    ));
    let shipping = config.run(&docker).start();
    docker.write("good", &["--label", "team=red", "--label", "to=red/a"], &lines("good", 10), b"");
    docker.write("bad", &["--label", "team=red", "--label", "to=blue/a"], &lines("bad", 10), b"");
    strict.wait_for_events(10, ARRIVAL);
    std::thread::sleep(Duration::from_secs(2));
    let outcome = shipping.terminate();
    let journal = strict.stop();
    assert_eq!(streams(&journal), [stream("/tenants/red/a", "good", 10)]);
    assert!(
        journal
            .0
            .iter()
            .all(|request| request.group.as_deref().is_none_or(|group| group == "/tenants/red/a"))
    );
    assert!(outcome.stderr.contains("/tenants/blue/a"), "{}", outcome.stderr);
}

#[test]
fn an_endpoint_that_hangs_or_refuses_holds_up_nobody_else() {
    for plan in ["any@*=hang:600000", "any@*=expired", "any@*=throttle"] {
        let docker = Docker::any();
        docker.remove_all();
        let (bad, good) = (Strict::with_plan(plan), Strict::start());
        let tenant = |name: &str, url: &str| {
            format!(
                "[[tenant]]\nname = '{name}'\nmatch-name = ['{name}-*']\ngroup = '/t/{name}'\nendpoint-url = '{url}'\n"
            )
        };
        let config =
            Config::new(&format!("{TOP}{}{}", tenant("bad", &bad.url()), tenant("good", &good.url())));
        let shipping = config.run(&docker).args(&["--stop-timeout", "1s"]).start();
        for number in 0..3 {
            docker.write(&format!("bad-{number}"), &[], &lines("bad", 20_000), b"");
        }
        docker.write("good-1", &[], &lines("good", 5_000), b"");
        good.wait_for_events(5_000, ARRIVAL);
        // Told to stop, the one that cannot deliver says what is left.
        shipping.terminate().assert_code(9);
        assert_eq!(streams(&good.stop()), [stream("/t/good", "good-1", 5_000)]);
    }
}

#[test]
fn what_was_accepted_is_not_sent_again_after_a_restart() {
    let docker = Docker::any();
    let strict = Strict::start();
    let state = tempfile::tempdir().expect("a temporary folder");
    let config = Config::new(&format!(
        "{TOP}endpoint-url = '{}'\nstate-dir = '{}'\n[[tenant]]\nname = 'all'\ndefault = true\ngroup = '/t/all'\n",
        strict.url(),
        state.path().display()
    ));
    let mut feed = docker.feed("web", &[]);
    for round in 1..=3 {
        let shipping = config.run(&docker).start();
        feed.out(&lines(&format!("round {round}"), 100));
        strict.wait_for_events(100 * round, ARRIVAL);
        shipping.terminate().assert_code(0);
    }
    eventually("the endpoint at rest", ARRIVAL, || (strict.count("busy") == 0).then_some(()));
    assert_eq!(streams(&strict.stop()), [stream("/t/all", "web", 300)]);
}

#[test]
fn containers_are_told_apart_by_network_and_by_compose_project() {
    let docker = Docker::any();
    docker.docker(&["network", "create", "--internal", "backend-1"]);
    let strict = Strict::start();
    let config = Config::new(&format!(
        "{TOP}endpoint-url = '{}'
        [[tenant]]
        name = 'net'
        match-network = ['back*']
        group = '/t/net'
        [[tenant]]
        name = 'shop'
        match-compose-project = ['shop', 'cart-*']
        match-network = ['none']
        group = '/t/shop'
        ",
        strict.url()
    ));
    let project = |name: &str| format!("com.docker.compose.project={name}");
    docker.write("shop-web", &["--label", &project("shop")], &lines("shop", 10), b"");
    docker.write("cart-web", &["--label", &project("cart-2")], &lines("cart", 20), b"");
    docker.write("shopping", &["--label", &project("shopping")], &lines("other", 30), b"");
    let words = ["run", "-d", "--name", "within", "--network", "backend-1", "box", "echo", "within"];
    docker.docker(&words);
    docker.docker(&["wait", "within"]);
    let outcome = config.run(&docker).arg("--once").finish().assert_code(0);
    docker.docker(&["rm", "within"]);
    docker.docker(&["network", "rm", "backend-1"]);
    assert!(outcome.stderr.contains("container shopping matches no tenant"), "{}", outcome.stderr);
    let expected =
        [stream("/t/net", "within", 1), stream("/t/shop", "cart-web", 20), stream("/t/shop", "shop-web", 10)];
    assert_eq!(streams(&strict.stop()), expected);
}
