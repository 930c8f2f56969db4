// Tests plant faults in the one store that they share: the next write must be their own.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
