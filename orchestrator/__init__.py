"""The map of aisci: rooms by floor, the four ports that reach the world, the tree of errors.

A room imports rooms on lower floors only, never one on its own floor (``tests/project/test_rooms.py``)::

    7  cli.py       the command
    6  console/     the terminal: options, output, live displays
    5  api/         start, resume, replay, check, prove, audit: returns outcomes, prints nothing
    4  machine/     this computer: survey, doctor, data sets and baselines kept on it
       proof/       probes that try to escape from containers, and the judgement on them
       audit/       whether the record of a run holds
       agreement/   how well a reviewer agrees with people's decisions
       exchange/    what other people's tools read: OCSF events, bills of materials, envelopes
    3  sandbox/     port Sandbox: engine, job, storage, network, gpus, images, harvest
       research/    ideas to paper: run, pipeline, stages, prompts, paper, sweep, loopback
       report/      journals to pages
    2  record/      the journal: typed events, hash chain, blobs, pins, recorded ports, attestations
       policy/      what a job, an idea and a run may use: schema, inheritance, comparison, lint
       template/    what research starts from: manifest, results format, contract
       models/      port LanguageModel: litellm, prices, failures, scripted
       editor/      port Editor: Aider in its container, wire protocol, scripted
       literature/  port Literature: engines, lists on this machine, merging, BibTeX
    1  core/        values, errors, protocols, deadlines, strict JSON, YAML and TOML, units, safe text

The ports are ``LanguageModel``, ``Editor``, ``Sandbox`` and ``Literature`` in
``core/protocols.py``. Research is a straight line of stages (``research/pipeline.py``). A stage
is synchronous code that knows only ports and frozen values; it holds no clock, no random source
and no state. Each port call is written to a journal (``record/journal.py``), so that resume,
replay, test fixture and audit log are one mechanism.

The errors (``core/errors.py``)::

    AisciError
    ├── UserError               the request is wrong; nothing was started (exit code 2)
    │   ├── BadFile             a file that a person wrote: file, line, column, key
    │   │   ├── BadPolicy
    │   │   └── BadTemplate
    │   ├── UnknownName         no such template, policy, model, image; the nearest is named
    │   ├── MissingKey          the model's key is not in the environment
    │   └── ResultsExist        a results folder that exists already
    ├── EngineUnavailable       no Docker engine answers
    ├── EngineFailed            the engine refused, or the connection broke (transient)
    ├── DataFailed              a data set could not be fetched, or is not as declared
    ├── ImageMissing            an image is not built
    ├── ImageStale              an image is of another recipe, or too old
    ├── ImageBuildFailed
    ├── ControlUnavailable      the policy requires what this machine cannot provide
    │   └── HostBusy            it could, but not while other jobs run (transient)
    ├── SandboxFailed           a container did not follow its policy
    ├── HarvestRefused          a container's output breaks the harvest rules as a whole
    ├── BadResults              a run's final_info.json has no usable result
    ├── ModelFailed             the model gave no usable answer
    │   ├── ModelBusy           429, 5xx, time-out after all retries (transient)
    │   ├── ModelRefused        400, 401, 403: asking again does not help
    │   │   └── TooLong         the conversation is longer than the model's context
    │   └── BadReply            the answer cannot be used
    │       ├── EmptyReply      it holds no text
    │       ├── CutReply        it was cut off at its limit of tokens
    │       └── WrongFormat     it does not have the requested format
    ├── EditorFailed            the editor's worker failed
    ├── BudgetSpent             a call exceeds the budget (transient: raise it, resume)
    ├── DiskFull                the host's disk is full
    ├── BadJournal              a torn, changed or foreign journal
    ├── Diverged                a repeated run makes another request than the recorded one
    ├── Interrupted             a person or a signal stopped the run (transient)
    └── IdeaFailed              a stage gave up on one idea; the others continue
"""

__version__ = "0.1.0"
