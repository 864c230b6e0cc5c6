//! What other programs' options come to in `run`'s own: Docker's, and logspout's routes and environment.

use cloudspout_host::docker::{Backlog, Filter};

use super::exit::Ending;
use super::route::{self, Environment, Route};
use super::ship::Run;
use super::shipping::variable;

impl Run {
    /// With other programs' options as those that they stand for here; one for each route.
    ///
    /// # Errors
    /// For options that contradict each other, and for what is no route.
    pub fn settled(mut self) -> Result<Vec<Run>, Ending> {
        self.awslogs.check()?;
        self.naming = self.naming.with(&self.awslogs)?;
        self.shipping = self.shipping.with(&self.awslogs, self.naming.makes_groups());
        let given = match self.routes.as_slice() {
            [] => variable("ROUTE_URIS").into_iter().collect(),
            routes => routes.to_vec(),
        };
        let routes = Route::parse_all(&given.join(","), variable).map_err(Ending::usage)?;
        if routes.is_empty() && !self.naming.is_logspout() {
            self.shipping.wants_instance |= self.naming.mentions_instance();
            return Ok(vec![self]);
        }
        self.naming = self.naming.with_logspout()?;
        let environment = Environment::read(variable).map_err(Ending::usage)?;
        let routes = if routes.is_empty() { vec![Route::default()] } else { routes };
        let mut runs: Vec<_> = routes.into_iter().map(|route| self.routed(route, &environment)).collect();
        // Each has positions of its own; the first has those that it has when it is alone.
        for run in runs.iter_mut().skip(1) {
            run.state_dir = run.state_dir.take().map(|directory| directory.join(&run.own_directory));
        }
        Ok(runs)
    }

    /// The same for the containers and with the options of a route.
    fn routed(&self, route: Route, environment: &Environment) -> Run {
        let mut run = self.clone();
        run.route.clone_from(&route.text);
        for option in route.unknown() {
            run.remarks.push(format!("route `{}`: nothing here understands the option {option}", route.text));
        }
        let delay = route::delay(environment, &route, |remark| run.remarks.push(remark));
        run.shipping.flush_after = run.shipping.flush_after.or(Some(delay));
        run.own_directory = format!("route-{:016x}", digest(&route.text));
        run.shipping.wants_instance = !environment.no_ec2 && !route.has("NOEC2");
        run.shipping.wants_own_region = run.shipping.wants_instance && route.is_auto();
        run.shipping.region = route.region.clone().or(run.shipping.region);
        if environment.debug || route.has("DEBUG") {
            run.shipping.logging.say_all();
        }
        run.naming =
            run.naming.of_route(route.option("LOGSPOUT_GROUP"), route.option("LOGSPOUT_STREAM"), route.only);
        run.filter = Filter {
            excluded: environment.excluded.clone(),
            terminals: environment.terminals,
            ..route.filter
        };
        run.wanted_backlog = match (environment.no_backlog, environment.tail) {
            (true, _) => Some(Backlog::Now),
            (false, Some(lines)) => Some(Backlog::Last(lines)),
            (false, None) => None,
        };
        run
    }
}

/// A number that stands for a text, the same for ever (FNV-1a).
fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |digest: u64, byte| {
        (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
