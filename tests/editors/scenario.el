;;; Chooses a code action in a batch Emacs and writes what the user then sees, as JSON. -*- lexical-binding: t -*-
;; Environment as in scenario.lua.

(require 'json)

(defvar scenario-choices nil)

(defun scenario-wait (found)
  (let ((end (+ (float-time) 20)))
    (while (and (not (funcall found)) (< (float-time) end))
      (accept-process-output nil 0.05))
    (unless (funcall found) (error "Gave up"))))

(defun scenario-seen (text)
  (seq-some (lambda (buffer)
              (and (buffer-file-name buffer)
                   (with-current-buffer buffer
                     (save-excursion (goto-char (point-min)) (search-forward text nil t)))))
            (buffer-list)))

;; What a user would press.
(advice-add 'y-or-n-p :override (lambda (&rest _) t))
(advice-add 'completing-read :override
            (lambda (_prompt choices &rest _)
              (setq scenario-choices (mapcar (lambda (one) (if (consp one) (car one) one)) choices))
              (seq-find (lambda (one) (string-prefix-p (getenv "SCENARIO_ACTION") one))
                        scenario-choices)))

(find-file (getenv "SCENARIO_FILE"))
(java-mode)
(run-hooks 'post-command-hook) ; A batch Emacs has no command loop, and eglot waits for it.
(scenario-wait (lambda () (eglot-current-server)))
(goto-char (point-min))
(search-forward (getenv "SCENARIO_LINE"))
(setq last-nonmenu-event ?\r) ; By key, not by mouse.
(call-interactively #'eglot-code-actions)
(scenario-wait (lambda () (scenario-seen (getenv "SCENARIO_WAIT"))))
(with-temp-file (getenv "SCENARIO_OUT")
  (insert (json-encode
           `((buffers
              . ,(delq nil
                       (mapcar (lambda (buffer)
                                 (when (string-suffix-p ".java" (or (buffer-file-name buffer) ""))
                                   (cons (buffer-file-name buffer)
                                         (with-current-buffer buffer
                                           (buffer-substring-no-properties
                                            (point-min) (point-max))))))
                               (buffer-list))))))))
