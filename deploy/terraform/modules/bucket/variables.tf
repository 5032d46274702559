variable "bucket_name" {
  description = "Name of the bucket. It is created in the Region of the provider: exports need a bucket in the Region of the logs."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket_name))
    error_message = "bucket_name must be 3 to 63 of the characters a-z 0-9 . -, beginning and ending with a letter or digit."
  }
}

variable "account_ids" {
  description = "Accounts whose log groups are exported to the bucket."
  type        = list(string)

  validation {
    condition     = length(var.account_ids) > 0 && alltrue([for id in var.account_ids : can(regex("^[0-9]{12}$", id))])
    error_message = "account_ids must have at least one account id of 12 digits."
  }
}

variable "service_role_arns" {
  description = "Service roles in other accounts than that of the bucket."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.service_role_arns : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$", arn))])
    error_message = "service_role_arns must be ARNs of IAM roles."
  }
}

variable "expiration_days" {
  description = "Days until exported objects are deleted. Default: never."
  type        = number
  default     = null

  validation {
    condition     = var.expiration_days == null ? true : var.expiration_days >= 1
    error_message = "expiration_days must be 1 or more."
  }
}
