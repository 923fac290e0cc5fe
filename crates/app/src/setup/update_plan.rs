//! Changes a plan's name and schedule.

use tintype_model::{plan::Plan, schedule::Schedule, storage::checked_name};

use crate::{App, AppError, AppResult};

impl App {
    /// Gives the plan, as it was read before, this name and schedule; it is next due by the schedule from now on.
    ///
    /// # Errors
    /// The plan is not there or was changed meanwhile, or the name is bad or taken.
    pub async fn update_plan(
        &self,
        from: &Plan,
        name: &str,
        schedule: Option<Schedule>,
    ) -> AppResult<Plan> {
        let name = checked_name(name)?;
        let namesake = self.ports.store.plan_by_name(from.tenant, &name).await?;
        if namesake.is_some_and(|other| other.id != from.id) {
            return Err(AppError::Invalid(format!(
                "name: there is a plan called {name:?} already; choose another"
            )));
        }
        let plan = Plan {
            name,
            schedule,
            ..from.clone()
        };
        let next_due = plan.next_due(self.ports.clock.now());
        self.ports.store.update_plan(from, &plan, next_due).await?;
        self.ports.bell.ring();
        Ok(plan)
    }
}
