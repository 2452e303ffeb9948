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

    /// New memory, aligned for the widest vector, filled by `fill` before anyone else sees it.
    ///
    /// - Parameter inLargePages: whether to ask the system for pages of two megabytes, as far as they go into it. One takes
    ///   the place of 512, so memory that is held for long is handed out a few times faster.
    package static func allocate(
        byteCount: Int, inLargePages: Bool = false, fill: (UnsafeMutableRawBufferPointer) -> Void
    ) -> Storage {
        let largePage = 2 << 20
        let isLarge = inLargePages && byteCount >= largePage
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: isLarge ? largePage : 64)
        #if os(Linux)
            if isLarge { madvise(memory.baseAddress, byteCount / largePage * largePage, MADV_HUGEPAGE) }
        #endif
        fill(memory)
        return Storage(UnsafeRawBufferPointer(memory)) { $0.deallocate() }
    }

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
