terraform {
  required_version = ">= 1.9"
  required_providers {
    helm = {
      source  = "hashicorp/helm"
      version = "~> 3.0"
    }
  }
}

variable "namespace" {
  description = "Namespace of both releases."
  type        = string
  default     = "messaging"
}

resource "helm_release" "dependencies" {
  name             = "deps"
  namespace        = var.namespace
  create_namespace = true
  repository       = "oci://registry.example.com/centralita/charts"
  chart            = "centralita-deps"
  version          = "0.1.0"
  timeout          = 1200
  values           = [file("${path.module}/dependencies.yaml")]
}

resource "helm_release" "centralita" {
  name       = "centralita"
  namespace  = var.namespace
  repository = "oci://registry.example.com/centralita/charts"
  chart      = "centralita"
  version    = "0.1.0"
  # Migrations are an ordinary Job and services wait for the schema: waiting for readiness is waiting for both.
  wait            = true
  timeout         = 1200
  atomic          = true
  cleanup_on_fail = true
  values          = [file("${path.module}/centralita.yaml")]

  depends_on = [helm_release.dependencies]
}
