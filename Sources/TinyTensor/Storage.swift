#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Bytes that weights live in: read only, shared by every tensor cut from them, released with the last.
package final class Storage: @unchecked Sendable {
    package let bytes: UnsafeRawBufferPointer
    private let release: @Sendable (UnsafeRawBufferPointer) -> Void
    /// Whether the bytes are a file's, which the system can let go and fetch again.
    private let isMapped: Bool

    /// - Parameter release: called once, when nothing refers to the bytes any more.
    package init(
        _ bytes: UnsafeRawBufferPointer, isMapped: Bool = false,
        release: @escaping @Sendable (UnsafeRawBufferPointer) -> Void
    ) {
        self.bytes = bytes
        self.isMapped = isMapped
        self.release = release
    }

    /// New memory, aligned for the widest vector, filled by `fill` before anyone else sees it. It consists of large pages as
    /// far as they go into it and the system has them.
    package static func allocate(byteCount: Int, fill: (UnsafeMutableRawBufferPointer) -> Void) -> Storage {
        let isLarge = byteCount >= largePage
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: isLarge ? largePage : 64)
        #if os(Linux)
            if isLarge { madvise(memory.baseAddress, byteCount / largePage * largePage, MADV_HUGEPAGE) }
        #endif
        fill(memory)
        return Storage(UnsafeRawBufferPointer(memory)) { $0.deallocate() }
    }

    /// One page in place of 512, so that memory is handed out a few times faster.
    private static let largePage = 2 << 20

    /// Lets the pages that lie wholly inside a range go, as they will hardly be read again. Reading them still works.
    package func discard(_ range: Range<Int>) {
        guard isMapped, let base = bytes.baseAddress else { return }
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let first = range.lowerBound.roundedUp(to: page)  // a mapping begins on a page
        let end = range.upperBound / page * page
        if first < end { madvise(UnsafeMutableRawPointer(mutating: base + first), end - first, Int32(MADV_DONTNEED)) }
    }

    deinit { release(bytes) }
}
