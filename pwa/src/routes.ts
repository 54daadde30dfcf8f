// Every address of the app: what it shows, what it is called, where it sits in the navigation. Only Today is in the first download.
import type { Component } from 'svelte'
import { m } from './paraglide/messages.js'
import Today from './today/Today.svelte'

export type View = Component<any>

export interface Route {
  path: string
  title: () => string
  view?: View
  load?: () => Promise<{ default: View }>
  /** The place in the navigation that is lit. */
  area?: string
  /** Open to people who are not signed in, and only to them. */
  open?: boolean
  /** The same view for a list and what is chosen in it (`:id?`): it is not made anew between them. */
  keep?: boolean
  /** A task that wants the whole phone: no bottom bar. */
  task?: boolean
}

export interface Match {
  route: Route
  params: Record<string, string>
}

const routes: Route[] = [
  { path: '/', title: () => m.today_title(), view: Today as View, area: '/' },
  {
    path: '/households',
    title: () => m.households_title(),
    load: () => import('./households/Households.svelte'),
    area: '/households',
  },
  {
    path: '/households/new',
    title: () => m.register_title(),
    load: () => import('./households/HouseholdForm.svelte'),
    area: '/households',
    task: true,
  },
  {
    path: '/households/:id',
    title: () => m.household_title(),
    load: () => import('./households/Household.svelte'),
    area: '/households',
  },
  {
    path: '/households/:id/own',
    title: () => m.own_link(),
    load: () => import('./home/Shown.svelte'),
    area: '/households',
    task: true,
  },
  {
    path: '/households/:id/edit',
    title: () => m.household_edit_title(),
    load: () => import('./households/HouseholdForm.svelte'),
    area: '/households',
    task: true,
  },
  {
    path: '/households/:id/assess',
    title: () => m.assess_title(),
    load: () => import('./assess/Assess.svelte'),
    area: '/households',
    task: true,
  },
  {
    path: '/households/:id/consent',
    title: () => m.consent_title(),
    load: () => import('./consents/Consent.svelte'),
    area: '/households',
    task: true,
  },
  {
    path: '/duplicates',
    title: () => m.duplicates_title(),
    load: () => import('./duplicates/Duplicates.svelte'),
    area: '/households',
  },
  {
    path: '/duplicates/:one/:other',
    title: () => m.merge_title(),
    load: () => import('./duplicates/Compare.svelte'),
    area: '/households',
    task: true,
  },
  {
    path: '/enrolments/:id',
    title: () => m.enrolment_title(),
    load: () => import('./assess/Enrolment.svelte'),
    area: '/households',
  },
  {
    path: '/enrolments/:id/ladder',
    title: () => m.ladder_title(),
    load: () => import('./ladder/Ladder.svelte'),
    area: '/households',
  },
  {
    path: '/ladder',
    title: () => m.ladder_caseload(),
    load: () => import('./ladder/Caseload.svelte'),
    area: '/households',
  },
  { path: '/groups', title: () => m.groups_title(), load: () => import('./groups/Groups.svelte'), area: '/groups' },
  {
    path: '/groups/new',
    title: () => m.groups_form_title(),
    load: () => import('./groups/GroupForm.svelte'),
    area: '/groups',
    task: true,
  },
  { path: '/groups/:id', title: () => m.groups_one(), load: () => import('./groups/Group.svelte'), area: '/groups' },
  {
    path: '/groups/:id/edit',
    title: () => m.groups_change(),
    load: () => import('./groups/GroupForm.svelte'),
    area: '/groups',
    task: true,
  },
  {
    path: '/groups/:id/survey',
    title: () => m.survey_new(),
    load: () => import('./groups/SurveyForm.svelte'),
    area: '/groups',
    task: true,
  },
  {
    path: '/admin/programmes',
    title: () => m.programmes_title(),
    load: () => import('./admin/Programmes.svelte'),
    area: '/admin',
  },
  {
    path: '/admin/programmes/:id/policies',
    title: () => m.policies_title(),
    load: () => import('./admin/policies/Policies.svelte'),
    area: '/admin',
  },
  {
    path: '/admin/programmes/:id/policies/:policy',
    title: () => m.policy_new(),
    load: () => import('./admin/policies/Policy.svelte'),
    area: '/admin',
  },
  {
    path: '/visits/new',
    title: () => m.visit_new_title(),
    load: () => import('./visits/NewVisit.svelte'),
    area: '/',
    task: true,
  },
  { path: '/visits/:id', title: () => m.visit_title(), load: () => import('./visits/Visit.svelte'), area: '/' },
  {
    path: '/visits/:id/edit',
    title: () => m.visit_edit_title(),
    load: () => import('./visits/VisitForm.svelte'),
    area: '/',
    task: true,
  },
  { path: '/grants', title: () => m.grants_title(), load: () => import('./grants/Grants.svelte'), area: '/grants' },
  {
    path: '/grants/new',
    title: () => m.grant_new_title(),
    load: () => import('./grants/Prepare.svelte'),
    area: '/grants',
    task: true,
  },
  {
    path: '/grants/waiting/:id?',
    title: () => m.desk_title(),
    load: () => import('./grants/Desk.svelte'),
    area: '/grants',
    keep: true,
  },
  { path: '/grants/release', title: () => m.release_title(), load: () => import('./grants/Release.svelte'), area: '/grants' },
  { path: '/grants/:id', title: () => m.grant_title(), load: () => import('./grants/Grant.svelte'), area: '/grants' },
  {
    path: '/grants/:id/use',
    title: () => m.grant_use(),
    load: () => import('./grants/Utilise.svelte'),
    area: '/grants',
    task: true,
  },
  {
    path: '/grants/:id/receive/:tranche',
    title: () => m.receive_title(),
    load: () => import('./grants/Acknowledge.svelte'),
    area: '/grants',
    task: true,
  },
  {
    path: '/grants/:id/receipt/:acknowledgement',
    title: () => m.receipt_title(),
    load: () => import('./grants/Receipt.svelte'),
    area: '/grants',
    task: true,
  },
  { path: '/receipts/check', title: () => m.check_title(), load: () => import('./grants/CheckReceipt.svelte'), area: '/grants' },
  { path: '/inbox', title: () => m.inbox_title(), load: () => import('./inbox/Inbox.svelte'), area: '/inbox' },
  {
    path: '/queue/:id?',
    title: () => m.queue_title(),
    load: () => import('./queue/Queue.svelte'),
    area: '/queue',
    keep: true,
  },
  { path: '/team', title: () => m.team_title(), load: () => import('./team/Team.svelte'), area: '/team' },
  {
    path: '/figures',
    title: () => m.figures_title(),
    load: () => import('./figures/Dashboard.svelte'),
    area: '/figures',
  },
  {
    path: '/figures/all',
    title: () => m.figures_title(),
    load: () => import('./figures/Figures.svelte'),
    area: '/figures',
  },
  {
    path: '/visits',
    title: () => m.visits_title(),
    load: () => import('./figures/Visits.svelte'),
    area: '/figures',
  },
  {
    path: '/enrolments',
    title: () => m.enrolments_title(),
    load: () => import('./figures/Enrolments.svelte'),
    area: '/figures',
  },
  {
    path: '/quality',
    title: () => m.quality_title(),
    load: () => import('./figures/Quality.svelte'),
    area: '/figures',
  },
  {
    path: '/oversight',
    title: () => m.oversight_title(),
    load: () => import('./figures/Oversight.svelte'),
    area: '/oversight',
  },
  { path: '/home', title: () => m.home_title(), load: () => import('./home/Home.svelte'), area: '/home' },
  {
    path: '/admin/roles',
    title: () => m.roles_title(),
    load: () => import('./admin/Roles.svelte'),
    area: '/admin/members',
  },
  {
    path: '/platform',
    title: () => m.platform_title(),
    load: () => import('./platform/Platform.svelte'),
    area: '/platform',
  },
  {
    path: '/admin/organisation',
    title: () => m.organisation_title(),
    load: () => import('./admin/Organisation.svelte'),
    area: '/admin',
  },
  { path: '/admin', title: () => m.admin_title(), load: () => import('./admin/Overview.svelte'), area: '/admin' },
  {
    path: '/admin/members',
    title: () => m.members_admin_title(),
    load: () => import('./admin/Members.svelte'),
    area: '/admin/members',
  },
  {
    path: '/admin/places',
    title: () => m.places_title(),
    load: () => import('./admin/Places.svelte'),
    area: '/admin/places',
  },
  {
    path: '/admin/imports',
    title: () => m.imports_title(),
    load: () => import('./imports/Imports.svelte'),
    area: '/admin',
  },
  {
    path: '/admin/imports/:id',
    title: () => m.imports_title(),
    load: () => import('./imports/Import.svelte'),
    area: '/admin',
  },
  {
    path: '/admin/devices',
    title: () => m.devices_title(),
    load: () => import('./devices/Devices.svelte'),
    area: '/admin',
  },
  {
    path: '/admin/audit',
    title: () => m.audit_title(),
    load: () => import('./admin/Audit.svelte'),
    area: '/admin',
  },
  {
    path: '/admin/keys',
    title: () => m.keys_title(),
    load: () => import('./admin/Keys.svelte'),
    area: '/admin',
  },
  {
    path: '/admin/privacy',
    title: () => m.privacy_title(),
    load: () => import('./admin/Privacy.svelte'),
    area: '/admin',
  },
  {
    path: '/team/devices',
    title: () => m.devices_title(),
    load: () => import('./devices/Devices.svelte'),
    area: '/team',
  },
  {
    path: '/team/unread',
    title: () => m.unreached_title(),
    load: () => import('./team/Unreached.svelte'),
    area: '/team',
  },
  { path: '/sign-in', title: () => m.signin_title(), load: () => import('./sign-in/SignIn.svelte'), open: true },
  {
    path: '/sign-in/provider',
    title: () => m.signin_title(),
    load: () => import('./sign-in/Provider.svelte'),
    open: true,
  },
  { path: '/setup', title: () => m.setup_title(), load: () => import('./sign-in/Setup.svelte'), open: true },
  { path: '/join', title: () => m.join_title_plain(), load: () => import('./sign-in/Join.svelte'), open: true },
  { path: '/me/told', title: () => m.told_title(), load: () => import('./me/Told.svelte'), area: '/me', task: true },
  { path: '/me', title: () => m.me_title(), load: () => import('./me/Me.svelte'), area: '/me' },
]

/** What no first screen leads to, or what nobody knows. */
const missing: Route = { path: '*', title: () => m.not_found_title(), load: () => import('./shell/Elsewhere.svelte') }

const patterns = routes.map((route) => ({
  route,
  names: [...route.path.matchAll(/:(\w+)/g)].map((found) => found[1] as string),
  expression: new RegExp(`^${route.path.replace(/\/:\w+(\?)?/g, (_, may) => (may ? '(?:/([^/]+))?' : '/([^/]+)'))}/?$`),
}))

/** The first route whose pattern fits; addresses nobody knows get the page that says so. */
export function match(path: string): Match {
  for (const { route, names, expression } of patterns) {
    const found = expression.exec(path)
    if (found)
      return {
        route,
        params: Object.fromEntries(names.map((name, i) => [name, decodeURIComponent(found[i + 1] ?? '')])),
      }
  }
  return { route: missing, params: {} }
}
