"""The reward language: catalogue of terms, checking, JSON, translation.

A reward program is data: stages of weighted terms that a sampling controller minimises. The rules
read fixed phrases, amounts and corrections; a language model describes the motion and codes it.
Whoever wrote a program, it is checked against the vocabulary of the robot in its scene.
"""

from embodied.language.reward.checking import check as check
from embodied.language.reward.checking import complete as complete
from embodied.language.reward.rules_arm import arm_speech as arm_speech
from embodied.language.reward.rules_quadruped import quadruped_speech as quadruped_speech
from embodied.language.reward.serialise import json_schema as json_schema
from embodied.language.reward.serialise import program_from_json as program_from_json
from embodied.language.reward.serialise import program_to_json as program_to_json
from embodied.language.reward.speech import Speech as Speech
from embodied.language.reward.vocabulary import NORMS as NORMS
from embodied.language.reward.vocabulary import VOCABULARIES as VOCABULARIES
from embodied.language.reward.vocabulary import Vocabulary as Vocabulary
from embodied.language.reward.vocabulary import arm_vocabulary as arm_vocabulary
from embodied.language.reward.vocabulary import describe as describe
from embodied.language.reward.vocabulary import make_term as make_term
from embodied.language.reward.vocabulary import read_vocabulary as read_vocabulary
