import type { Action } from '../action.ts';
import type { Circumstances } from '../authorizer.ts';

/**
 * The Cedar schema of policies: entities, actions and the context of each action. docs/policies.md
 * explains it. It is text and not a file, because it belongs to the code that fills it
 * (cedar-request.ts).
 */
export const schemaText = `
// A group of callers: "<issuer>#<group>", so that no issuer can speak for the groups of another.
entity Group;

// A caller: "<issuer>#<subject>". Its tags are the claims of its issuer.
entity Caller in [Group] = {
  issuer: String,
  subject: String,
  groups: Set<String>,
} tags Set<String>;

// An AWS account and Region, by its configured name.
entity Target = { name: String, account: String, region: String };

// A log group of a target, by its ARN.
entity LogGroup in [Target] = { name: String, target: String, account: String, region: String };

// A webhook endpoint, by the origin of its URL. Its name is the origin. It is in no account and no Region, so both are
// empty: policies about every resource use these attributes.
entity WebhookEndpoint = { name: String, account: String, region: String };

action create, read, cancel, webhooks;

type Export = { destination: String, destinationPrefix: String, from: Long, to: Long };
type ExportOfJob = {
  destination: String,
  destinationPrefix: String,
  from: Long,
  to: Long,
  priority: Long,
};
// AWS may omit members of a task.
type Task = { destination?: String, destinationPrefix?: String };
// The prefix of a job is its template, with names in braces.
type Job = { isOwn: Bool, destination: String, destinationPrefix: String };
// The prefix of an archive is its template, too.
type Archive = { isOwn: Bool, destination: String, destinationPrefix: String };
type Webhook = { isOwn: Bool };

action CreateExportTask in [create] appliesTo { principal: Caller, resource: LogGroup, context: Export };
action CreateExportJob in [create] appliesTo { principal: Caller, resource: LogGroup, context: ExportOfJob };
action RetryExportJob in [create] appliesTo { principal: Caller, resource: LogGroup, context: Job };
action CreateArchive in [create] appliesTo { principal: Caller, resource: LogGroup, context: ExportOfJob };
action ChangeArchive in [create] appliesTo { principal: Caller, resource: LogGroup, context: Archive };

action DescribeExportTasks in [read] appliesTo { principal: Caller, resource: LogGroup, context: Task };
action ReadExportJob in [read] appliesTo { principal: Caller, resource: LogGroup, context: Job };
action ReadArchive in [read] appliesTo { principal: Caller, resource: LogGroup, context: Archive };
action ReadCoverage in [read] appliesTo { principal: Caller, resource: LogGroup };
action ReadTarget in [read] appliesTo { principal: Caller, resource: Target };
action CheckAuthorization in [read] appliesTo { principal: Caller, resource: Target };

action CreateWebhookEndpoint in [webhooks] appliesTo { principal: Caller, resource: WebhookEndpoint, context: Webhook };
action ReadWebhookEndpoint in [webhooks] appliesTo { principal: Caller, resource: WebhookEndpoint, context: Webhook };
action ChangeWebhookEndpoint in [webhooks] appliesTo { principal: Caller, resource: WebhookEndpoint, context: Webhook };

action CancelExportTask in [cancel] appliesTo { principal: Caller, resource: LogGroup, context: Task };
action CancelExportJob in [cancel] appliesTo { principal: Caller, resource: LogGroup, context: Job };
`;

type Members = readonly (keyof Circumstances)[];
const ofTask: Members = ['destination', 'destinationPrefix'];
const ofExport: Members = [...ofTask, 'from', 'to'];
const ofExportOfJob: Members = [...ofExport, 'priority'];
const ofOwned: Members = [...ofTask, 'isOwn'];
const ofWebhook: Members = ['isOwn'];

/** The members of the context of each action, as in the schema. */
export const contextMembers: Record<Action, Members> = {
  CreateExportTask: ofExport,
  CreateExportJob: ofExportOfJob,
  RetryExportJob: ofOwned,
  CreateArchive: ofExportOfJob,
  ChangeArchive: ofOwned,
  DescribeExportTasks: ofTask,
  ReadExportJob: ofOwned,
  ReadArchive: ofOwned,
  ReadCoverage: [],
  ReadTarget: [],
  CheckAuthorization: [],
  CreateWebhookEndpoint: ofWebhook,
  ReadWebhookEndpoint: ofWebhook,
  ChangeWebhookEndpoint: ofWebhook,
  CancelExportTask: ofTask,
  CancelExportJob: ofOwned,
};
