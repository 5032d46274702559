# The role with which the gateway itself runs on EKS. It may only assume service roles.

locals {
  is_irsa         = var.oidc_provider_arn != null
  oidc_issuer     = local.is_irsa ? split(":oidc-provider/", var.oidc_provider_arn)[1] : ""
  service_account = "system:serviceaccount:${var.namespace}:${var.service_account}"
}

resource "aws_iam_role" "gateway" {
  name               = var.name
  description        = "log-export-gateway itself; it assumes a service role in each account"
  assume_role_policy = local.is_irsa ? data.aws_iam_policy_document.irsa[0].json : data.aws_iam_policy_document.pod_identity[0].json
}

resource "aws_iam_role_policy" "service_roles" {
  name   = "service-roles"
  role   = aws_iam_role.gateway.id
  policy = data.aws_iam_policy_document.service_roles.json
}

data "aws_iam_policy_document" "irsa" {
  count = local.is_irsa ? 1 : 0

  statement {
    sid     = "AllowServiceAccount"
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [var.oidc_provider_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.oidc_issuer}:sub"
      values   = [local.service_account]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.oidc_issuer}:aud"
      values   = ["sts.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "pod_identity" {
  count = local.is_irsa ? 0 : 1

  statement {
    sid     = "AllowPodIdentity"
    actions = ["sts:AssumeRole", "sts:TagSession"]

    principals {
      type        = "Service"
      identifiers = ["pods.eks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/kubernetes-namespace"
      values   = [var.namespace]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/kubernetes-service-account"
      values   = [var.service_account]
    }
  }
}

data "aws_iam_policy_document" "service_roles" {
  statement {
    sid       = "AssumeServiceRoles"
    actions   = concat(["sts:AssumeRole"], var.scoped_sessions ? ["sts:SetSourceIdentity"] : [], local.is_irsa ? [] : ["sts:TagSession"])
    resources = var.service_role_arns
  }
}
