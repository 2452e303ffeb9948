/// Bytes that weights live in: read only, shared by every tensor cut from them, released with the last.
package final class Storage: @unchecked Sendable {
    package let bytes: UnsafeRawBufferPointer
    private let release: @Sendable (UnsafeRawBufferPointer) -> Void

    /// - Parameter release: called once, when nothing refers to the bytes any more.
    package init(_ bytes: UnsafeRawBufferPointer, release: @escaping @Sendable (UnsafeRawBufferPointer) -> Void) {
        self.bytes = bytes
        self.release = release
    }

    /// New memory, aligned for the widest vector, filled by `fill` before anyone else sees it.
    package static func allocate(byteCount: Int, fill: (UnsafeMutableRawBufferPointer) -> Void) -> Storage {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 64)
        fill(memory)
        return Storage(UnsafeRawBufferPointer(memory)) { $0.deallocate() }
    }

    deinit { release(bytes) }
}
