//! A tenant's own credentials, from wherever its keys say; the endpoint takes no signature but theirs.

use std::fs;

use cloudspout_tests::docker::{ARRIVAL, Docker};
use cloudspout_tests::issuer::Issuer;
use cloudspout_tests::process::eventually;
use cloudspout_tests::program::{KEY_ID, PATIENCE, SECRET, TEMPORARY_KEY_ID};
use cloudspout_tests::strict::Strict;
use cloudspout_tests::text::lines;

use crate::{Config, TOP};

const ROLE: &str = "arn:aws:iam::111122223333:role/logs";

/// Ships 50 lines of a tenant whose keys say `rest`; the strict endpoint verifies each signature.
fn ship(issuer: &Issuer, rest: &str, secrets: &[&str]) {
    let docker = Docker::any();
    docker.remove_all();
    let strict = Strict::start();
    let config = Config::new(&format!(
        "{TOP}endpoint-url = '{}'\n[[tenant]]\nname = 'a'\ndefault = true\ngroup = '/t/a'\n{rest}\n",
        strict.url()
    ));
    let shipping = config
        .run(&docker)
        .env("AWS_ENDPOINT_URL_STS", &issuer.url())
        .env("ROLE_KEY_ID", KEY_ID)
        .env("ROLE_SECRET", SECRET)
        .start();
    docker.write("web", &[], &lines("web", 50), b"");
    strict.wait_for_events(50, ARRIVAL);
    let outcome = shipping.terminate().assert_code(0);
    for secret in secrets {
        assert!(!outcome.stderr.contains(secret), "a secret is told:\n{}", outcome.stderr);
    }
    let journal = strict.stop();
    assert_eq!(journal.stream("/t/a", "web").len(), 50);
}

#[test]
fn a_role_is_assumed_with_external_id_and_session_name() {
    let issuer = Issuer::start();
    ship(
        &issuer,
        &format!("role-arn = '{ROLE}'\nrole-external-id = 'b1f0'\nrole-session-name = 'acme'"),
        &[],
    );
    let keys = "access-key-id-from = 'env:ROLE_KEY_ID'\nsecret-access-key-from = 'env:ROLE_SECRET'";
    ship(&issuer, &format!("role-arn = '{ROLE}'\n{keys}"), &[]);
    let asked = issuer.asked();
    assert_eq!(asked.len(), 2, "each role is assumed once: {asked:?}");
    for (asked, external_id, session_name) in
        [(&asked[0], Some("b1f0"), "acme"), (&asked[1], None, "cloudspout")]
    {
        assert_eq!(asked["Action"], "AssumeRole");
        assert_eq!(asked["RoleArn"], ROLE);
        assert_eq!(asked["RoleSessionName"], session_name);
        assert_eq!(asked["ExternalId"].as_str(), external_id);
        let authorization = asked["authorization"].as_str().expect("it is signed");
        assert!(authorization.contains(&format!("Credential={KEY_ID}/")), "{authorization}");
    }
}

#[test]
fn a_role_is_assumed_with_a_token_in_a_file() {
    let issuer = Issuer::start();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("token");
    fs::write(&file, "header.payload.signature").expect("a file");
    let token_file = format!("web-identity-token-file = '{}'", file.display());
    ship(&issuer, &format!("role-arn = '{ROLE}'\n{token_file}"), &["header.payload"]);
    let asked = issuer.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(asked[0]["Action"], "AssumeRoleWithWebIdentity");
    assert_eq!(asked[0]["RoleArn"], ROLE);
    assert_eq!(asked[0]["WebIdentityToken"], "header.payload.signature");
}

#[test]
fn an_endpoint_as_ecs_and_eks_have_it_is_asked_with_the_token_of_a_file() {
    let issuer = Issuer::start();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("token");
    fs::write(&file, "of-the-pod\n").expect("a file");
    let endpoint = format!("credentials-endpoint = '{}/v1/credentials'", issuer.url());
    let token_file = format!("credentials-endpoint-token-file = '{}'", file.display());
    ship(&issuer, &format!("{endpoint}\n{token_file}"), &["of-the-pod"]);
    let asked = issuer.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(asked[0]["path"], "/v1/credentials");
    assert_eq!(asked[0]["authorization"], "of-the-pod");
}

#[test]
fn a_role_that_is_refused_is_said_for_the_tenant_and_holds_up_no_other() {
    let docker = Docker::any();
    let (issuer, strict) = (Issuer::start(), Strict::start());
    // Only one key may assume roles, and this is another.
    let keys = "access-key-id-from = 'env:OTHER_KEY_ID'\nsecret-access-key-from = 'env:ROLE_SECRET'";
    let config = Config::new(&format!(
        "{TOP}endpoint-url = '{}'
        [[tenant]]
        name = 'refused'
        match-name = ['refused-*']
        role-arn = '{ROLE}'
        {keys}
        [[tenant]]
        name = 'good'
        match-name = ['good-*']
        ",
        strict.url()
    ));
    let shipping = config
        .run(&docker)
        .args(&["--group", "/t/good", "--stop-timeout", "1s"])
        .env("AWS_ENDPOINT_URL_STS", &issuer.url())
        .env("OTHER_KEY_ID", TEMPORARY_KEY_ID)
        .env("ROLE_SECRET", SECRET)
        .start();
    docker.write("refused-1", &[], &lines("refused", 10), b"");
    docker.write("good-1", &[], &lines("good", 500), b"");
    strict.wait_for_events(500, ARRIVAL);
    eventually("what is wrong", PATIENCE, || {
        let stderr = shipping.stderr();
        stderr
            .lines()
            .any(|line| line.contains("tenant=\"refused\"") && line.contains("not for you"))
            .then_some(())
    });
    shipping.terminate();
    let journal = strict.stop();
    assert_eq!(journal.stream("/t/good", "good-1").len(), 500);
    assert!(journal.stream("/t/good", "refused-1").is_empty());
}
