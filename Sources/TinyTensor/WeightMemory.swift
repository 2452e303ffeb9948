import Synchronization

/// Memory for the matrices of a model, in large pages, which small ones share: these lie one behind the other.
final class WeightMemory: Sendable {
    private struct Slab: Sendable {
        let storage: Storage
        var used: Int
    }

    private let slab = Mutex<Slab?>(nil)
    /// Address space alone: pages that nothing is written to are never handed out.
    private static let slabBytes = 64 << 20
    private static let largestShared = 16 << 20

    /// Memory aligned for the widest vector, filled by `fill` before anyone else sees it. It is given back with the last of
    /// its neighbours, so it is for what is held as long as the model.
    func allocate(byteCount: Int, fill: (UnsafeMutableRawBufferPointer) -> Void) -> Storage {
        guard byteCount <= Self.largestShared else {
            return Storage.allocate(byteCount: byteCount, inLargePages: true, fill: fill)
        }
        let (storage, offset) = slab.withLock { slab in
            let offset = slab?.used.roundedUp(to: 64) ?? 0
            if let storage = slab?.storage, storage.bytes.count - offset >= byteCount {
                slab?.used = offset + byteCount
                return (storage, offset)
            }
            let storage = Storage.allocate(byteCount: Self.slabBytes, inLargePages: true) { _ in }
            slab = Slab(storage: storage, used: byteCount)
            return (storage, 0)
        }
        let bytes = UnsafeRawBufferPointer(rebasing: storage.bytes[offset..<offset + byteCount])
        fill(UnsafeMutableRawBufferPointer(mutating: bytes))
        return Storage(bytes) { _ in withExtendedLifetime(storage) {} }
    }
}
