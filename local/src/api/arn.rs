//! Names and ARNs of log groups: which of the two a caller gave, and what ours look like.

use super::call::Context;
use super::check::Violations;
use super::limits;
use crate::refusal::Refusal;

/// `arn:aws:logs:region:account:log-group:name`, without the `:*` that some operations add.
pub fn of_group(name: &str, context: &Context<'_>) -> String {
    format!("arn:aws:logs:{}:{}:log-group:{name}", context.region, context.account)
}

/// The group of a call that takes `logGroupName` or `logGroupIdentifier`.
pub fn chosen_group<'a>(
    name: Option<&'a str>,
    identifier: Option<&'a str>,
    violations: &mut Violations,
) -> Result<&'a str, Refusal> {
    match (name, identifier) {
        (Some(_), Some(_)) => {
            Err(Refusal::invalid("LogGroup name and LogGroup ARN are mutually exclusive parameters."))
        }
        (None, None) => {
            Err(Refusal::invalid("At least one of logGroupName or logGroupIdentifier must be provided."))
        }
        (Some(name), None) => {
            violations.group_name("logGroupName", name);
            Ok(name)
        }
        (None, Some(identifier)) => {
            violations.length("logGroupIdentifier", identifier, 1, limits::ARN_LENGTH);
            violations.pattern("logGroupIdentifier", identifier, r"[\w#+=/:,.@-]*", |c| {
                c.is_ascii_alphanumeric() || "_#+=/:,.@-".contains(c)
            });
            if identifier.starts_with("arn:") {
                name_in(identifier).ok_or_else(Refusal::no_group)
            } else {
                Ok(identifier)
            }
        }
    }
}

/// The group of a call that takes `resourceArn`.
pub fn tagged_group(arn: &str) -> Result<&str, Refusal> {
    name_in(arn).ok_or_else(|| Refusal::invalid(format!("Invalid ARN: {arn}")))
}

/// The name in a log group's ARN of any partition; `None` for other ARNs and for one that ends in `:*`.
fn name_in(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(7, ':');
    let (arn, _partition, service) = (parts.next()?, parts.next()?, parts.next()?);
    let (_region, _account, kind) = (parts.next()?, parts.next()?, parts.next()?);
    let name = parts.next()?;
    let fits = arn == "arn" && service == "logs" && kind == "log-group";
    (fits && !name.is_empty() && !name.contains(':')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_found_in_a_group_s_arn_only() {
        for (arn, name) in [
            ("arn:aws:logs:us-east-1:000000000000:log-group:/a/b", Some("/a/b")),
            ("arn:aws-cn:logs:cn-north-1:000000000000:log-group:x", Some("x")),
            ("arn:aws:logs:us-east-1:000000000000:log-group:x:*", None),
            ("arn:aws:logs:us-east-1:000000000000:log-group:", None),
            ("arn:aws:s3:::bucket", None),
            ("name", None),
        ] {
            assert_eq!(name_in(arn), name, "{arn}");
        }
    }
}
