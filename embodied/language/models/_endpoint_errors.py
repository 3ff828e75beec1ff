"""Errors of an endpoint, in words for a person, and whether a retry may help.

Errors are raised anew without their cause: the library's own may quote what was sent, and an
endpoint may echo the key in its answer; here every text goes through ``redact``.
"""

from __future__ import annotations

from pydantic_ai import exceptions as pai

from embodied.errors import ModelError, ModelTimeoutError
from embodied.language.models._bounds import AnswerRefusedError, refusal_in
from embodied.language.models._retrying import TransientModelError
from embodied.language.models._secrets import redact

_LONGEST_DETAIL = 300


def translate_error(
    error: Exception, *, name: str, where: str, key_variable: str, timeout_s: float
) -> ModelError:
    """Turn an error of the client library into one of ours.

    Args:
        error: What the library raised.
        name: Name of the model.
        where: Address of the endpoint, without secrets.
        key_variable: Environment variable that holds the key.
        timeout_s: The time-out in force.
    """
    detail = _detail(error)
    if refused := refusal_in(error):
        return AnswerRefusedError(f"{name} at {where}: {redact(str(refused))}")
    if isinstance(error, (TimeoutError, pai.ModelRequestTimeout, pai.ModelTimeoutError)):
        late = f"{name} at {where} did not answer within {timeout_s:g} s"
        return ModelTimeoutError(f"{late}; give it more time with --timeout")
    if isinstance(error, pai.ModelHTTPError):
        return _http_error(error, detail, name, where, key_variable)
    if isinstance(error, pai.ModelConnectionError):
        return TransientModelError(f"cannot reach {name} at {where}; is it running? ({detail})")
    if isinstance(error, pai.ContentFilterError):
        return ModelError(f"{name} refused to answer (content filter): {detail}")
    if isinstance(error, pai.UserError):
        return ModelError(f"{name} cannot be asked this: {detail}")
    # Anything else comes from an answer that the library could not make sense of.
    return TransientModelError(
        f"{name} at {where} sent a broken answer ({type(error).__name__}: {detail})"
    )


def _http_error(
    error: pai.ModelHTTPError, detail: str, name: str, where: str, key_variable: str
) -> ModelError:
    status = error.status_code
    if status in (401, 403):
        return ModelError(
            f"{name} at {where} refused the key (status {status}): check {key_variable}"
        )
    if status == 404:
        return ModelError(
            f"{name} was not found at {where} (status 404): check the model's name and the base "
            f"URL. {detail}"
        )
    if isinstance(error, pai.ModelQuotaExceededError):
        return ModelError(f"{name}: the account's quota is used up (status {status}): {detail}")
    if status == 429:
        return TransientModelError(
            f"{name} at {where} limits the rate of calls (status 429)",
            retry_after_s=error.retry_after,
        )
    if status in (408, 409) or status >= 500:
        return TransientModelError(
            f"{name} at {where} has a problem (status {status}): {detail}",
            retry_after_s=error.retry_after,
        )
    return ModelError(f"{name} at {where} refused the request (status {status}): {detail}")


def _detail(error: Exception) -> str:
    text = redact(str(getattr(error, "body", None) or error or type(error).__name__))
    text = " ".join(text.split())  # cut off only now: half a key is nobody's value
    return text if len(text) <= _LONGEST_DETAIL else text[:_LONGEST_DETAIL] + " ..."
