variable "bucket_name" {
  description = "Name of the bucket for the exports. It is created in the Region of the provider."
  type        = string
}

variable "expiration_days" {
  description = "Days until exported objects are deleted. Default: never."
  type        = number
  default     = null
}

variable "service_role_name" {
  description = "Name of the service role: the role with which the gateway calls CloudWatch Logs."
  type        = string
  default     = "log-export"
}

variable "external_id" {
  description = "External id that the gateway must send to assume the service role. Default: none."
  type        = string
  default     = null
}

variable "scoped_sessions" {
  description = "Whether the gateway runs with SCOPED_SESSIONS=on."
  type        = bool
  default     = false
}

variable "verification" {
  description = "The setting VERIFICATION of the gateway: off, objects or count. Set count, too, if a job or archive asks for it."
  type        = string
  default     = "objects"
}

variable "gateway_role_name" {
  description = "Name of the role with which the gateway itself runs. It need not exist yet."
  type        = string
  default     = "log-export-gateway"
}

variable "eks" {
  description = "Where the gateway runs on EKS. Its role is created with this trust: IRSA if there is an OIDC provider, otherwise EKS Pod Identity. Default: no role is created."
  type = object({
    oidc_provider_arn = optional(string)
    namespace         = optional(string, "log-export-gateway")
    service_account   = optional(string, "log-export-gateway")
  })
  default = null
}

variable "further_account_ids" {
  description = "Other accounts whose log groups are exported to the bucket."
  type        = list(string)
  default     = []
}

variable "further_service_role_arns" {
  description = "Service roles of these accounts."
  type        = list(string)
  default     = []
}
