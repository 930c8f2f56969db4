using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Grid.Revocation.Log;

namespace Grid.Revocation.Tests.Model;

/// <summary>Goes through all states of a <see cref="World"/>, breadth first, by doing the steps that lead there again.</summary>
internal static class Explorer
{
    /// <returns>How many states there are, and one of the shortest ways to a violation if there is one.</returns>
    public static (int States, byte[]? Violation) Explore(Mistake mistake, RevocationKind kind, Budget budget)
    {
        ConcurrentDictionary<UInt128, bool> seen = new();
        seen.TryAdd(Hash(At([])), true);
        ConcurrentBag<byte[]> frontier = [[]];
        byte[]? violation = null;
        while (!frontier.IsEmpty && violation is null)
        {
            ConcurrentBag<byte[]> further = [];
            Parallel.ForEach(frontier, path =>
            {
                var reached = At(path);
                foreach (var step in reached.Steps().ToArray())
                {
                    byte[] next = [.. path, (byte)step];
                    var world = At(next);
                    if (world.IsViolated || world.IsHeldUp)
                    {
                        violation = next;
                        return;
                    }

                    if (seen.TryAdd(Hash(world), true))
                    {
                        further.Add(next);
                    }
                }
            });
            frontier = further;
        }

        return (seen.Count, violation);

        static UInt128 Hash(World world) => BinaryPrimitives.ReadUInt128LittleEndian(SHA256.HashData(MemoryMarshal.AsBytes(world.Key().AsSpan())));

        World At(byte[] steps)
        {
            var world = new World(mistake, kind, budget);
            foreach (var step in steps)
            {
                world.Do(step);
            }

            return world;
        }
    }
}
