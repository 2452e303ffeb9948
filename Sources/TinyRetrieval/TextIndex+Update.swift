#if Retrieval
    import TinyJSON

    extension TextIndex {
        /// What bringing an index up to date has done.
        public struct Update: Equatable, Sendable {
            /// Files and passages that the index holds now.
            public internal(set) var files = 0
            public internal(set) var passages = 0
            /// Files that were new or had changed, and those that were as they were.
            public internal(set) var updatedFiles = 0
            public internal(set) var unchangedFiles = 0
            public internal(set) var removedFiles = 0
            /// Passages that the model has read; those that were known already keep their vectors.
            public internal(set) var embeddedPassages = 0
            public internal(set) var skipped: [SkippedFile] = []
        }

        /// How far an update is.
        public struct Progress: Sendable {
            public let file: String
            /// Files dealt with, of all.
            public let done: Int
            public let total: Int
            public let embeddedPassages: Int
        }

        /// Brings the index up to date with a folder: reads what is new or has changed, and forgets what is gone.
        ///
        /// A file of the same size and time as before is not read. In a file that has changed or was renamed, passages
        /// that are as they were keep their vectors. Every file is one transaction, so an update that is interrupted goes
        /// on where it was.
        ///
        /// - Parameters:
        ///   - folder: all its files are read as UTF-8, and those of the folders in it; names with a dot in front are left
        ///     out. What is no text is in `skipped`, with the reason.
        ///   - onProgress: called before each file and after each few passages.
        /// - Throws: `RetrievalError`, what the embedder throws, and `CancellationError` where the task is cancelled.
        @discardableResult
        public func update(
            from folder: String, with embedder: some TextEmbedder, onProgress: (Progress) -> Void = { _ in }
        ) throws -> Update {
            let listing = try TextFolder(folder)
            let lock = try IndexLock(index: path)
            defer { withExtendedLifetime(lock) {} }
            let width = try remember(embedder)
            let known = try store.files()
            let present = Set(listing.entries.map { ExactKey($0.path) })
            var outdated = known.filter { !present.contains($0.key) }.map(\.value)
            let source = VectorSource(store: store, width: width, embedder: embedder, gone: outdated)
            var update = Update()
            update.skipped = listing.skipped
            for (index, entry) in listing.entries.enumerated() {
                func report(_ more: Int) {
                    onProgress(
                        Progress(
                            file: entry.path, done: index, total: listing.entries.count,
                            embeddedPassages: update.embeddedPassages + more))
                }
                report(0)
                let former = known[ExactKey(entry.path)]
                if let former, former.size == entry.stamp.size, former.modified == entry.stamp.modified {
                    update.unchangedFiles += 1
                    continue
                }
                switch TextFile.read(listing.location(of: entry.path)) {
                case .failure(let unsuitable):
                    update.skipped.append(SkippedFile(file: entry.path, reason: unsuitable.reason))
                    if let former { outdated.append(former) }
                case .success(let text):
                    let (passages, embedded) = try source.passages(of: text, former: former, onProgress: report)
                    try store.replace(
                        entry.path, size: entry.stamp.size, modified: listing.settled(entry.stamp), passages)
                    update.updatedFiles += 1
                    update.embeddedPassages += embedded
                }
            }
            try store.remove(outdated)
            update.removedFiles = outdated.count
            update.skipped.sort { $0.file < $1.file }
            (update.files, update.passages) = try store.counts()
            return update
        }
    }

    /// Where the vectors of passages come from: the index, if it has them, or else the model.
    private struct VectorSource<Embedder: TextEmbedder> {
        let store: IndexStore
        let width: Int
        let embedder: Embedder
        /// Files that the index knows and the folder does not have any more: some may only have another name now.
        let gone: [IndexedFile]
        /// Passages that are embedded between two reports.
        private let batch = 16

        init(store: IndexStore, width: Int, embedder: Embedder, gone: [IndexedFile]) {
            self.store = store
            self.width = width
            self.embedder = embedder
            self.gone = gone
        }

        /// A text's passages with their vectors, and how many of these the model has made.
        func passages(
            of text: String, former: IndexedFile?, onProgress: (Int) -> Void
        ) throws -> ([IndexedPassage], embedded: Int) {
            let cutter = PassageCutter(tokenLimit: embedder.tokenLimit, tokenCount: embedder.tokenCount)
            // A vector of nothing at all would be like every other one.
            let passages = cutter.passages(of: text).filter { embedder.tokenCount(of: $0.text) > 0 }
            var vectors: [ExactKey: [Float]] = [:]
            for file in former.map({ [$0] }) ?? gone.filter({ $0.size == text.utf8.count }) {
                vectors.merge(try store.vectors(of: file.id, width: width)) { $1 }
            }
            var fresh: [String] = []
            for passage in passages where vectors[ExactKey(passage.text)] == nil {
                vectors[ExactKey(passage.text)] = []  // once, however often it stands there
                fresh.append(passage.text)
            }
            for start in stride(from: 0, to: fresh.count, by: batch) {
                if Task.isCancelled { throw CancellationError() }
                let texts = Array(fresh[start..<min(start + batch, fresh.count)])
                for (text, vector) in zip(texts, try embedder.unitVectors(of: texts, for: .passage)) {
                    guard vector.count == width else {
                        throw RetrievalError.badVectors(
                            model: embedder.name, reason: "a vector of \(vector.count) numbers among those of \(width)")
                    }
                    vectors[ExactKey(text)] = vector
                }
                onProgress(start + texts.count)
            }
            let indexed = passages.map { IndexedPassage(passage: $0, vector: vectors[ExactKey($0.text)] ?? []) }
            return (indexed, fresh.count)
        }
    }
#endif
