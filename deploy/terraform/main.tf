# One account and Region: a bucket for the exports, the service role, and on EKS the role of the gateway.
# For a further account, use modules/service-role with a provider of that account, and add the account to
# account_ids of the bucket. For a further Region, use modules/bucket with a provider of that Region.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account_id        = data.aws_caller_identity.current.account_id
  partition         = data.aws_partition.current.partition
  gateway_role_arn  = "arn:${local.partition}:iam::${local.account_id}:role/${var.gateway_role_name}"
  service_role_arns = concat([module.service_role.role_arn], var.further_service_role_arns)
}

module "bucket" {
  source = "./modules/bucket"

  bucket_name       = var.bucket_name
  account_ids       = concat([local.account_id], var.further_account_ids)
  service_role_arns = var.further_service_role_arns
  expiration_days   = var.expiration_days
}

module "service_role" {
  source = "./modules/service-role"

  name             = var.service_role_name
  gateway_role_arn = local.gateway_role_arn
  external_id      = var.external_id
  bucket_names     = [module.bucket.bucket_name]
  kms_key_arns     = [module.bucket.kms_key_arn]
  scoped_sessions  = var.scoped_sessions
  verification     = var.verification
  eks_session_tags = var.eks == null ? false : var.eks.oidc_provider_arn == null
}

module "gateway_role" {
  source = "./modules/gateway-role"
  count  = var.eks == null ? 0 : 1

  name              = var.gateway_role_name
  service_role_arns = local.service_role_arns
  oidc_provider_arn = var.eks.oidc_provider_arn
  namespace         = var.eks.namespace
  service_account   = var.eks.service_account
  scoped_sessions   = var.scoped_sessions
}
