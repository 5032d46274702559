variable "name" {
  description = "Name of the role."
  type        = string
  default     = "log-export-gateway"

  validation {
    condition     = can(regex("^[A-Za-z0-9_+=,.@-]{1,64}$", var.name))
    error_message = "name must be 1 to 64 of the characters A-Z a-z 0-9 _ + = , . @ -."
  }
}

variable "service_role_arns" {
  description = "Service roles of all targets."
  type        = list(string)

  validation {
    condition     = length(var.service_role_arns) > 0 && alltrue([for arn in var.service_role_arns : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$", arn))])
    error_message = "service_role_arns must have at least one ARN of an IAM role."
  }
}

variable "oidc_provider_arn" {
  description = "ARN of the IAM OIDC provider of the cluster, for IRSA. Default: EKS Pod Identity."
  type        = string
  default     = null

  validation {
    condition     = var.oidc_provider_arn == null ? true : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider/.+$", var.oidc_provider_arn))
    error_message = "oidc_provider_arn must be the ARN of an IAM OIDC provider."
  }
}

variable "namespace" {
  description = "Namespace of the service account."
  type        = string
  default     = "log-export-gateway"
}

variable "service_account" {
  description = "Service account of the gateway in deploy/kubernetes."
  type        = string
  default     = "log-export-gateway"
}

variable "scoped_sessions" {
  description = "Whether the gateway runs with SCOPED_SESSIONS=on."
  type        = bool
  default     = false
}
