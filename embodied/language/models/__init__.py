"""Language models behind one interface: endpoints, local weights, recordings, functions.

``open_model`` is the door; wrappers add retries, budgets, recording and fallbacks to any model.
Importing this package imports no client library: each implementation imports its own, when opened.
"""

from embodied.language.models._budget import Budget as Budget
from embodied.language.models._budget import Budgeted as Budgeted
from embodied.language.models._fallback import FallbackModel as FallbackModel
from embodied.language.models._function import FunctionModel as FunctionModel
from embodied.language.models._open import ENDPOINT_KINDS as ENDPOINT_KINDS
from embodied.language.models._open import MODEL_KINDS as MODEL_KINDS
from embodied.language.models._open import REASONING_EFFORTS as REASONING_EFFORTS
from embodied.language.models._open import open_model as open_model
from embodied.language.models._open import price_of as price_of
from embodied.language.models._recording import Recording as Recording
from embodied.language.models._recording import ReplayModel as ReplayModel
from embodied.language.models._requests import check_request as check_request
from embodied.language.models._requests import request_key as request_key
from embodied.language.models._retrying import Retrying as Retrying
from embodied.language.models._retrying import TransientModelError as TransientModelError
from embodied.language.models._secrets import redact as redact
from embodied.language.models._wrapping import close_model as close_model
