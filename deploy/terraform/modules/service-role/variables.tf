variable "name" {
  description = "Name of the role."
  type        = string
  default     = "log-export"

  validation {
    condition     = can(regex("^[A-Za-z0-9_+=,.@-]{1,64}$", var.name))
    error_message = "name must be 1 to 64 of the characters A-Z a-z 0-9 _ + = , . @ -."
  }
}

variable "gateway_role_arn" {
  description = "ARN of the role with which the gateway itself runs. Only this role may assume the service role."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$", var.gateway_role_arn))
    error_message = "gateway_role_arn must be the ARN of an IAM role."
  }
}

variable "external_id" {
  description = "External id that the gateway must send. Set it if the gateway serves accounts of several owners: one of them could name the role of another. Default: none."
  type        = string
  default     = null

  validation {
    condition     = var.external_id == null ? true : can(regex("^[A-Za-z0-9_+=,.@:/-]{2,1224}$", var.external_id))
    error_message = "external_id must be 2 to 1224 of the characters A-Z a-z 0-9 _ + = , . @ : / -."
  }
}

variable "regions" {
  description = "Regions whose log groups are exported. Default: that of the provider."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for region in var.regions : can(regex("^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$", region))])
    error_message = "regions must be names such as eu-west-1."
  }
}

variable "bucket_names" {
  description = "Buckets to export to."
  type        = list(string)

  validation {
    condition     = length(var.bucket_names) > 0 && alltrue([for name in var.bucket_names : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", name))])
    error_message = "bucket_names must have at least one name of a bucket."
  }
}

variable "kms_key_arns" {
  description = "Keys of the buckets with SSE-KMS."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.kms_key_arns : can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", arn))])
    error_message = "kms_key_arns must be ARNs of keys, not of aliases."
  }
}

variable "scoped_sessions" {
  description = "Whether the gateway runs with SCOPED_SESSIONS=on. It then names the caller as the source identity."
  type        = bool
  default     = false
}

variable "eks_session_tags" {
  description = "Whether the gateway gets its credentials from EKS Pod Identity. It then passes on the session tags of EKS."
  type        = bool
  default     = false
}

variable "verification" {
  description = "The setting VERIFICATION of the gateway: off, objects or count. Set count, too, if a job or archive asks for it. The role gets the permissions for it."
  type        = string
  default     = "objects"

  validation {
    condition     = contains(["off", "objects", "count"], var.verification)
    error_message = "verification must be off, objects or count."
  }
}

variable "preflight" {
  description = "Whether the gateway may read the settings of the buckets and keys, to say before an export what would make it fail."
  type        = bool
  default     = true
}

variable "sns_topic_arns" {
  description = "Topics that the gateway publishes events to: snsTopicArn in TARGETS_FILE."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.sns_topic_arns : can(regex("^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:.+$", arn))])
    error_message = "sns_topic_arns must be ARNs of SNS topics."
  }
}

variable "event_bus_arns" {
  description = "Event buses that the gateway puts events on: eventBusArn in TARGETS_FILE."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.event_bus_arns : can(regex("^arn:aws[a-z-]*:events:[a-z0-9-]+:[0-9]{12}:event-bus/.+$", arn))])
    error_message = "event_bus_arns must be ARNs of event buses."
  }
}
