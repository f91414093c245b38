"""Rule: names that make a host longer than DNS allows are found out when KServe reconciles, not when the object is written.

Observed: "Host: `<isvc>-predictor-<namespace>` must be 63 or fewer characters even for cluster-local services (`fails to create
NewRawKubeReconciler ... no more than 63 characters`, Ready=False ReconcileFailed)." In Standard mode. "Label `isvc.<isvc>-predictor`
likewise": the API server refuses that one when KServe writes the Deployment, so it is no rule of the stand-in's.
"""

LONGEST_LABEL = 63


def host_refusal(service: str, namespace: str, domain: str) -> str | None:
    """What KServe says of a predictor's host, None where it is short enough.

    Args:
        service: name of the InferenceService.
        domain: the ingress domain.
    """
    label = f"{service}-predictor-{namespace}"
    if len(label) <= LONGEST_LABEL:
        return None
    return (
        f'fails to create NewRawKubeReconciler for predictor: invalid domain name "{label}.{domain}": '
        f'url: Invalid value: "{label}": must be no more than {LONGEST_LABEL} characters'
    )
