"""A private, real Slurm that one supervisor process holds together.

Modules, from the outside in:

cli          options, help and messages of the command ``slurm``
launch       ``start`` and ``run``: the processes around the supervisor
client       ``stop``, ``env``, ``restart`` and ``kill``: talks to a running sandbox
supervisor   brings munge and Slurm up, serves requests, leaves no trace
loop         the supervisor's events: signals, children, descriptors, waiting
daemons      one munged, slurmctld or slurmd: command line, pid file, log
config       options, the sandbox's folder, slurm.conf; no side effects
ports        free ports that no other sandbox takes
processes    processes as /proc shows them
errors       what can go wrong, and the exit status of each
"""
