"""Starts MiniStack as the end-to-end suite needs it: ticks that come sooner, its gaps closed where the suite would fall into one, and IAM
that can be switched on by a signal once the stack stands. Started by emulator.ts, which says how in the environment; needs MiniStack alone."""

import json
import os
import signal
import string
import threading
import time
from datetime import timedelta

from ministack import app
from ministack.core import iam_actions, lambda_runtime
from ministack.services import eventbridge, lambda_svc, scheduler
from ministack.services.cloudformation import provisioners

SWEEP_SECONDS = 1
MINUTE_SECONDS = int(os.environ.get("ONTHEDOT_EMULATOR_MINUTE", "60"))
EVERY_MINUTE = frozenset(range(60))
# Batches of one queue that are in a function at once: this machine starts a process for each, AWS has machines enough.
QUEUE_BATCHES_MAX = int(os.environ.get("ONTHEDOT_EMULATOR_EXECUTORS", "20"))


def hasten_schedules():
    """Schedules are looked at each second, and what is due each minute is due each MINUTE_SECONDS, as if the minute were shorter."""
    scheduler._SCHEDULE_TICK_INTERVAL = SWEEP_SECONDS
    eventbridge._SCHEDULER_TICK_INTERVAL = SWEEP_SECONDS
    next_fire = eventbridge._cron_next_fire

    def next_fire_sooner(fields, after):
        if fields[0] != EVERY_MINUTE or MINUTE_SECONDS >= 60:
            return next_fire(fields, after)
        passed = after.second % MINUTE_SECONDS
        return after.replace(microsecond=0) + timedelta(seconds=MINUTE_SECONDS - passed)

    eventbridge._cron_next_fire = next_fire_sooner


def bound_functions():
    """At most so many of one queue, however many a mapping allows."""
    concurrency_of = lambda_svc._sqs_esm_concurrency
    lambda_svc._ESM_SQS_DEFAULT_CONCURRENCY = QUEUE_BATCHES_MAX
    lambda_svc._sqs_esm_concurrency = lambda *mapping: min(QUEUE_BATCHES_MAX, concurrency_of(*mapping))


def mend_secrets():
    """`Ref` of a secret is its ARN on AWS, here its name; and what ExcludePunctuation asks for is left out of a generated string."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::SecretsManager::Secret"]
    create, update, delete, secret_string = *(handlers[verb] for verb in ("create", "update", "delete")), provisioners._sm_secret_string

    def name_of(physical_id):
        found = [name for name, secret in provisioners._sm._secrets.items() if secret["ARN"] == physical_id]
        return found[0] if found else physical_id

    def create_by_arn(logical_id, props, stack_name):
        _, attributes = create(logical_id, props, stack_name)
        return attributes["Arn"], attributes

    def update_by_arn(physical_id, old_props, new_props, stack_name, logical_id=None):
        _, attributes = update(name_of(physical_id), old_props, new_props, stack_name, logical_id)
        return attributes["Arn"], attributes

    def secret_string_plain(props):
        generate = dict(props.get("GenerateSecretString") or {})
        if str(generate.get("ExcludePunctuation", "")).lower() == "true":
            generate["ExcludeCharacters"] = generate.get("ExcludeCharacters", "") + string.punctuation
        return secret_string({**props, "GenerateSecretString": generate} if generate else props)

    provisioners._sm_secret_string = secret_string_plain
    handlers.update(create=create_by_arn, update=update_by_arn, delete=lambda physical_id, props: delete(name_of(physical_id), props))


def enforce_iam(enforced):
    """Takes effect for each request that comes after the line. Functions that are warm hold the credentials of before, so they go."""
    app.AUTH = enforced
    lambda_runtime.reset()
    print(f"iam {'enforced' if enforced else 'open'}", flush=True)


def switch_iam_by_signal():
    """Aside, for ending the warm functions takes longer than the server may stand still."""
    for number, enforced in ((signal.SIGUSR1, True), (signal.SIGUSR2, False)):
        signal.signal(number, lambda *_, enforced=enforced: threading.Thread(target=enforce_iam, args=(enforced,)).start())


def count_as_tls():
    """It serves plain HTTP on loopback; policies that deny what is not TLS are to be met as they are on AWS, by SDKs that use it."""
    pin = app.pin_request_origin
    app.pin_request_origin = lambda source_ip, secure_transport: pin(source_ip, True)


def tell_leading_keys():
    """A policy may bound the items that a role may touch by their partition keys, which it does not tell the policy: each passes then."""
    context_of = iam_actions.dynamodb_service_context

    def with_leading_keys(body):
        request = json.loads(body or b"{}")
        batches = [batch for batch in (request.get("RequestItems") or {}).values() if isinstance(batch, dict)]
        keys = [request.get("Key"), request.get("Item"), *(key for batch in batches for key in batch.get("Keys", []))]
        leading = [key["pk"]["S"] for key in keys if key]
        return {**context_of(body), **({"dynamodb:LeadingKeys": leading} if leading else {})}

    iam_actions.dynamodb_service_context = with_leading_keys


def name_batches_as_aws_does():
    """The right to send a message is the right to send ten of them; here each batch is an action of its own."""
    action_of = iam_actions.extract_iam_action

    def action_of_one(service, *request):
        action = action_of(service, *request)
        return action.removesuffix("Batch") if service == "sqs" and action else action

    iam_actions.extract_iam_action = action_of_one


def name_schedules_by_group():
    """A policy names schedules by their group, which it does not look at: to it each is of the group "default"."""
    arn_of = iam_actions.extract_resource_arn

    def arn_with_group(service, method, path, headers, body, query, *place):
        arn = arn_of(service, method, path, headers, body, query, *place)
        if service != "scheduler" or ":schedule/default/" not in arn:
            return arn
        asked = query.get("groupName") or json.loads(body or b"{}").get("GroupName") or "default"
        return arn.replace("/default/", f"/{asked[0] if isinstance(asked, list) else asked}/")

    iam_actions.extract_resource_arn = arn_with_group


def end_with_parent():
    """Whoever started it stops it, unless he was killed: then nobody would."""
    parent = os.getppid()

    def watch():
        while os.getppid() == parent:
            time.sleep(SWEEP_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


end_with_parent()
hasten_schedules()
bound_functions()
mend_secrets()
tell_leading_keys()
name_batches_as_aws_does()
name_schedules_by_group()
switch_iam_by_signal()
count_as_tls()
try:
    app.main()
finally:
    lambda_runtime.reset()
