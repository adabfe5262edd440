// The runtime reports to its makers unless told not to, before it is loaded: what it ran, for how long, with how many
// tokens. A thread has a copy of the environment that the runtime does not see, so the main thread must have said it.
process.env.ORT_DISABLE_TELEMETRY = "1";
