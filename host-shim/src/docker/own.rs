//! Which containers are not followed: Cloudspout's own, and those that ask to be left alone.

use super::records::Inspected;

/// What this process knows of the container it runs in, if it does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Own {
    id: Option<String>,
    host_name: String,
}

/// Why a container is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    Own,
    Asked,
}

impl Own {
    pub fn of_this_process() -> Own {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        Own::of(&read("/proc/self/mountinfo"), &read("/proc/self/cgroup"), &read("/proc/sys/kernel/hostname"))
    }

    fn of(mounts: &str, cgroups: &str, host_name: &str) -> Own {
        let id = mounts.lines().find_map(id_in_mount).or_else(|| cgroups.lines().find_map(id_in_cgroup));
        Own { id, host_name: host_name.trim().to_owned() }
    }

    fn is(&self, container: &Inspected) -> bool {
        if let Some(id) = &self.id {
            return *id == container.id;
        }
        // Unless told otherwise, Docker names a container's host by the beginning of its id.
        self.host_name.len() >= SHORT_ID
            && is_hex(&self.host_name)
            && container.id.starts_with(&self.host_name)
    }

    /// Whether a container is not to be followed, and why.
    pub fn leaves_out(&self, container: &Inspected) -> Option<LeftOut> {
        if self.is(container) {
            return Some(LeftOut::Own);
        }
        let asks = |entry: &String| {
            entry.split_once('=').is_some_and(|(name, value)| {
                IGNORE_ENV.contains(&name) && value.eq_ignore_ascii_case("ignore")
            })
        };
        let by_env = container.config.env.iter().any(asks);
        let by_label = container.config.labels.get(IGNORE_LABEL).is_some_and(|value| value == "true");
        (by_env || by_label).then_some(LeftOut::Asked)
    }
}

/// Docker mounts three files of its own into each container. Other mounts that carry a container's id
/// are those that a host sees of its containers.
fn id_in_mount(line: &str) -> Option<String> {
    let mut fields = line.split(' ').skip(3);
    let (root, point) = (fields.next()?, fields.next()?);
    let (directory, file) = root.rsplit_once('/')?;
    let ours = matches!(point, "/etc/hostname" | "/etc/hosts" | "/etc/resolv.conf") && point.ends_with(file);
    let (directory, id) = directory.rsplit_once('/')?;
    (ours && directory.ends_with("containers") && is_id(id)).then(|| id.to_owned())
}

/// `/docker/<id>` with the cgroupfs driver, `docker-<id>.scope` with systemd's.
fn id_in_cgroup(line: &str) -> Option<String> {
    let (_, last) = line.rsplit_once('/')?;
    let id = last.strip_prefix("docker-").and_then(|last| last.strip_suffix(".scope")).unwrap_or(last);
    is_id(id).then(|| id.to_owned())
}

fn is_id(text: &str) -> bool {
    text.len() == 64 && is_hex(text)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

const SHORT_ID: usize = 12;
const IGNORE_ENV: [&str; 2] = ["LOGSPOUT", "CLOUDSPOUT"];
const IGNORE_LABEL: &str = "cloudspout.ignore";

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn container(env: &[&str], labels: &[(&str, &str)]) -> Inspected {
        let mut container = Inspected { id: ID.to_owned(), ..Inspected::default() };
        container.config.env = env.iter().map(|&entry| entry.to_owned()).collect();
        container.config.labels =
            labels.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
        container
    }

    #[test]
    fn the_own_container_is_known_by_its_mounts() {
        let mounts = format!(
            "1 0 0:1 / / rw - overlay overlay rw\n\
             2 1 8:1 /var/lib/docker/containers/{ID}/hostname /etc/hostname rw - ext4 /dev/sda1 rw\n"
        );
        assert_eq!(Own::of(&mounts, "", "web").leaves_out(&container(&[], &[])), Some(LeftOut::Own));
    }

    #[test]
    fn the_own_container_is_known_by_its_cgroup() {
        for cgroup in [format!("0::/docker/{ID}\n"), format!("0::/system.slice/docker-{ID}.scope\n")] {
            assert_eq!(Own::of("", &cgroup, "web").leaves_out(&container(&[], &[])), Some(LeftOut::Own));
        }
    }

    #[test]
    fn the_own_container_is_known_by_its_host_name() {
        assert_eq!(Own::of("", "", "0123456789ab\n").leaves_out(&container(&[], &[])), Some(LeftOut::Own));
        assert_eq!(Own::of("", "", "0123\n").leaves_out(&container(&[], &[])), None);
        assert_eq!(Own::of("", "", "\n").leaves_out(&container(&[], &[])), None);
    }

    #[test]
    fn a_host_is_not_one_of_the_containers_it_mounts_for() {
        let mounts = format!("2 1 0:1 / /var/lib/docker/containers/{ID}/mounts/shm rw - tmpfs shm rw\n");
        assert_eq!(Own::of(&mounts, "0::/init.scope\n", "node").leaves_out(&container(&[], &[])), None);
    }

    #[test]
    fn containers_may_ask_to_be_left_alone() {
        let leaves_out =
            |env: &[&str], labels: &[(&str, &str)]| Own::default().leaves_out(&container(env, labels));
        assert_eq!(leaves_out(&["A=1", "LOGSPOUT=ignore"], &[]), Some(LeftOut::Asked));
        assert_eq!(leaves_out(&["CLOUDSPOUT=ignore"], &[]), Some(LeftOut::Asked));
        assert_eq!(leaves_out(&["LOGSPOUT=Ignore"], &[]), Some(LeftOut::Asked));
        assert_eq!(leaves_out(&[], &[("cloudspout.ignore", "true")]), Some(LeftOut::Asked));
        assert_eq!(leaves_out(&["LOGSPOUT=ignored"], &[("cloudspout.ignore", "false")]), None);
    }
}
